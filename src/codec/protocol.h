/* What a process asks its worker, and what that answers: both run on one machine and are made by one build, so structs
 * go over the channel as they are. The frame lies at the beginning of memory that both see, what becomes of it (pixels, a
 * stream, or a sentence) behind that, on a page of its own. */
#ifndef RS_CODEC_PROTOCOL_H
#define RS_CODEC_PROTOCOL_H

#include "codec/codec.h"

#define CODEC_MAGIC 0x31435352u /* "RSC1" */
#define CODEC_IN_MAX ((size_t)1 << 29)
#define CODEC_OUT_MAX ((size_t)2 << 30)
#define CODEC_SENTENCE_MAX ((size_t)300)
#define CODEC_CHANNEL 0 /* the worker's descriptors */
#define CODEC_SHARED 1

enum codec_kind { CODEC_NONE, CODEC_JPEG, CODEC_JPEG_LOSSLESS, CODEC_JPEG_LS, CODEC_J2K, CODEC_KINDS };

struct codec_request {
	uint32_t magic;
	uint32_t kind;     /* enum codec_kind */
	uint32_t encoding; /* 0: decode */
	uint32_t quality;
	struct rs_codec_shape shape;
	uint64_t in_size;
	uint64_t out_max; /* bytes that may come back; at least CODEC_SENTENCE_MAX */
};
static inline size_t codec_out_at(const struct codec_request *request)
{
	return ((size_t)request->in_size + 4095) / 4096 * 4096;
}

struct codec_answer {
	uint32_t magic;
	uint32_t code; /* enum rs_code */
	uint32_t bits, is_rgb;
	uint64_t size;
};

/* rle.c */
enum rs_code rle_decode(const struct rs_codec_shape *shape, struct rs_bytes in, uint8_t *out,
                        struct rs_error *err);
enum rs_code rle_encode(const struct rs_codec_shape *shape, struct rs_bytes pixels, struct rs_buffer *out,
                        struct rs_error *err);
/* pool.c: one request to a worker, its answer's bytes into `out`. */
enum rs_code worker_ask(const struct codec_request *request, struct rs_bytes in, struct codec_answer *answer,
                        struct rs_buffer *out, struct rs_error *err);

#endif
