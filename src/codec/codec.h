/* Frames of pixels, compressed and decompressed. RLE is done here; every other decoder and encoder is another's code and
 * runs in `radseal-jpeg`, a process of its own that can do nothing but compute: what a hostile frame makes of it is a
 * sentence. Both directions are functions of their bytes alone. Any thread may call; workers are kept for the next frame. */
#ifndef RS_CODEC_H
#define RS_CODEC_H

#include "base/base.h"

#define RS_CODEC_RLE "1.2.840.10008.1.2.5"
#define RS_CODEC_JPEG "1.2.840.10008.1.2.4.50"
#define RS_CODEC_SAMPLES_MAX ((size_t)1 << 27) /* of one frame */
#define RS_CODEC_SECONDS_MAX \
	10 /* for one frame, and one more for each 2^20 samples; then the worker is ended */

/* How a frame lies in memory: rows of pixels, the samples of a pixel side by side, little-endian. */
struct rs_codec_shape {
	uint32_t rows, columns;
	uint32_t samples;        /* of a pixel: 1 to 4 */
	uint32_t bits_allocated; /* 8, 16, 32; for RLE also 1 and 64 */
	uint32_t bits_stored;
	bool is_signed;
	bool is_ybr; /* the header says YBR_FULL or YBR_FULL_422: of such a JPEG red, green and blue are made */
};
/* Bytes of a frame; false when the shape cannot be. */
bool rs_codec_size(const struct rs_codec_shape *shape, size_t *out);

bool rs_codec_decodes(const char *transfer_syntax);
bool rs_codec_encodes(const char *transfer_syntax); /* without loss: RLE, JPEG-LS, JPEG 2000 */

struct rs_codec_decoded {
	uint32_t bits; /* that the compressed frame says its samples have, 0 when it does not say */
	bool is_rgb;   /* colours that the header calls YBR came out as red, green and blue */
};
/* One frame into `out`, which has exactly rs_codec_size() bytes. Signed samples are extended to all bits allocated.
 * errors  RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE, RS_IO: the worker cannot be started, or was ended */
enum rs_code rs_codec_decode(const char *transfer_syntax, const struct rs_codec_shape *shape,
                             struct rs_bytes frame, uint8_t *out, struct rs_codec_decoded *out_what,
                             struct rs_error *err);
/* One frame, appended. quality: 1 to 100, of RS_CODEC_JPEG (8 bits, grey or red, green and blue), which alone loses. */
enum rs_code rs_codec_encode(const char *transfer_syntax, const struct rs_codec_shape *shape,
                             struct rs_bytes pixels, unsigned quality, struct rs_buffer *out,
                             struct rs_error *err);

#endif
