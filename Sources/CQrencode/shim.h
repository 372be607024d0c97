// The door to libqrencode: the modules of a QR code.
#include <qrencode.h>
