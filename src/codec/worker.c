/* The worker's table: a codec and its two functions. */
#include "codec/worker.h"

static const struct {
	enum rs_code (*decode)(struct codec_job *job, struct rs_error *err);
	enum rs_code (*encode)(struct codec_job *job, struct rs_error *err);
} codecs[CODEC_KINDS] = {
	[CODEC_JPEG] = {jpeg_decode, jpeg_encode},
	[CODEC_JPEG_LOSSLESS] = {jpeg_decode, NULL},
	[CODEC_JPEG_LS] = {jpegls_decode, jpegls_encode},
	[CODEC_J2K] = {j2k_decode, j2k_encode},
};

enum rs_code codec_agrees(const struct codec_job *job, uint64_t rows, uint64_t columns, uint64_t samples,
                          uint64_t bits, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	if (rows != shape->rows || columns != shape->columns || samples != shape->samples)
		return rs_error_set(err, RS_MALFORMED,
		                    "the compressed frame has %llu x %llu pixels of %llu samples, the header "
		                    "says %u x %u of %u",
		                    (unsigned long long)columns, (unsigned long long)rows,
		                    (unsigned long long)samples, shape->columns, shape->rows, shape->samples);
	if (bits == 0 || bits > shape->bits_allocated)
		return rs_error_set(err, RS_MALFORMED,
		                    "the compressed frame has samples of %llu bits, BitsAllocated is %u",
		                    (unsigned long long)bits, shape->bits_allocated);
	return RS_OK;
}

enum rs_code codec_work(struct codec_job *job, struct rs_error *err)
{
	const struct codec_request *request = job->request;
	if (request->kind >= CODEC_KINDS || codecs[request->kind].decode == NULL)
		return rs_error_set(err, RS_UNSUPPORTED, "there is no such codec");
	if (!request->encoding)
		return codecs[request->kind].decode(job, err);
	if (codecs[request->kind].encode == NULL)
		return rs_error_set(err, RS_UNSUPPORTED, "there is no such encoder");
	return codecs[request->kind].encode(job, err);
}
