"""What "get" is answered with, again and again."""

BLOCK = bytes(i * 31 % 251 for i in range(65521))
