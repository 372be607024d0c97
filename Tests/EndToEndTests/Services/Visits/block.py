"""The block of bytes repeated in the answer to "get"."""

BLOCK = bytes(i * 31 % 251 for i in range(65521))
