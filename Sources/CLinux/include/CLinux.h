#include "lab.h"
void clinux_placeholder(void);
