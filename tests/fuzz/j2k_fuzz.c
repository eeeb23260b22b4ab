/* Hostile frames for the decoder of codec/worker.h that KIND names. */
#define KIND CODEC_J2K
#include "codec_fuzz.h"
