/* Hostile frames for the decoder of codec/worker.h that KIND names. */
#define KIND CODEC_JPEG_LS
#include "codec_fuzz.h"
