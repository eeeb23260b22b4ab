/* Hostile frames for the decoder of codec/worker.h that KIND names. */
#define KIND CODEC_NONE
#include "codec_fuzz.h"
