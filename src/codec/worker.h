/* The inside of radseal-jpeg: decoders and encoders of others behind one table. */
#ifndef RS_CODEC_WORKER_H
#define RS_CODEC_WORKER_H

#include "codec/protocol.h"

/* Decoders fill `out` (rs_codec_size() bytes); encoders append to `stream`. */
struct codec_job {
	const struct codec_request *request;
	struct rs_bytes in;
	uint8_t *out;
	struct rs_buffer *stream;
	struct rs_codec_decoded what;
};
enum rs_code codec_work(struct codec_job *job, struct rs_error *err);

enum rs_code jpeg_decode(struct codec_job *job, struct rs_error *err);
enum rs_code jpeg_encode(struct codec_job *job, struct rs_error *err);
enum rs_code jpegls_decode(struct codec_job *job, struct rs_error *err);
enum rs_code jpegls_encode(struct codec_job *job, struct rs_error *err);
enum rs_code j2k_decode(struct codec_job *job, struct rs_error *err);
enum rs_code j2k_encode(struct codec_job *job, struct rs_error *err);

/* Whether a stream is of the header's size, said as a sentence when not. bits: of its samples. */
enum rs_code codec_agrees(const struct codec_job *job, uint64_t rows, uint64_t columns, uint64_t samples,
                          uint64_t bits, struct rs_error *err);

/* What a JPEG says of itself before its first scan. */
struct jpeg_look {
	uint8_t process; /* the second byte of its SOF marker: 0xC0 … */
	uint32_t bits, rows, columns, samples;
};
bool jpeg_look(struct rs_bytes in, struct jpeg_look *out);

/* DCMTK's decoders (dcmtk.cpp): true, or false with a sentence of its own in `sentence`. Samples of up to 8 bits are bytes,
 * of more are words of the machine, pixel by pixel; they fill out_size. */
bool dcmtk_jpeg_decode(const uint8_t *in, uint32_t in_size, unsigned bits, bool is_signed, bool is_ybr,
                       uint8_t *out, uint32_t out_size, bool *out_is_rgb, char *sentence,
                       unsigned long sentence_size);
/* Loads what the decoders load lazily, before the sandbox closes. */
void dcmtk_prepare(void);

/* Nothing but reading, writing what is open, memory and the end from now on; false when the system gives no such thing. */
bool sandbox_close(void);

#endif
