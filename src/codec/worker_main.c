/* radseal-jpeg: decodes and encodes the frames of one radseal process, until that closes the channel. Not for people. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codec/worker.h"

static bool read_all(void *data, size_t size)
{
	uint8_t *at = data;
	while (size > 0) {
		const ssize_t got = read(CODEC_CHANNEL, at, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

static bool write_all(const void *data, size_t size)
{
	const uint8_t *at = data;
	while (size > 0) {
		const ssize_t put = write(CODEC_CHANNEL, at, size); /* one channel for both ways */
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		size -= (size_t)put;
	}
	return true;
}

/* A frame from the shared memory into it: *out_size bytes of pixels or of a stream. */
static enum rs_code work(const struct codec_request *request, const uint8_t *in, uint8_t *out,
                         struct codec_answer *answer, struct rs_error *err)
{
	struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
	struct codec_job job = {.request = request,
	                        .in = rs_bytes_of(in, (size_t)request->in_size),
	                        .out = out,
	                        .stream = &stream};
	size_t size = 0;
	if (!rs_codec_size(&request->shape, &size) || (!request->encoding && size > request->out_max))
		return rs_error_set(err, RS_TOO_LARGE, "a frame of such a size is not read");
	rs_buffer_init(&stream, (size_t)request->out_max);
	RS_TRY(codec_work(&job, err));
	if (request->encoding) {
		RS_TRY(rs_buffer_check(&stream, "a compressed frame", err));
		memcpy(out, stream.data, stream.size);
		size = stream.size;
	}
	answer->bits = job.what.bits;
	answer->is_rgb = job.what.is_rgb;
	answer->size = size;
	return RS_OK;
}

static bool serve(void)
{
	struct codec_request request;
	struct codec_answer answer = {.magic = CODEC_MAGIC};
	struct rs_error err = {0};
	if (!read_all(&request, sizeof request) || request.magic != CODEC_MAGIC ||
	    request.in_size > CODEC_IN_MAX || request.out_max < CODEC_SENTENCE_MAX ||
	    request.out_max > CODEC_OUT_MAX)
		return false;
	const size_t out_at = codec_out_at(&request), size = out_at + (size_t)request.out_max;
	uint8_t *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, CODEC_SHARED, 0);
	if (shared == MAP_FAILED)
		return false;
	answer.code = (uint32_t)work(&request, shared, shared + out_at, &answer, &err);
	if (answer.code != RS_OK) {
		answer.size = strnlen(err.message, CODEC_SENTENCE_MAX);
		memcpy(shared + out_at, err.message, answer.size);
	}
	munmap(shared, size);
	return write_all(&answer, sizeof answer);
}

int main(void)
{
	dcmtk_prepare();
	if (!sandbox_close())
		return 2;
	while (serve())
		;
	return 0;
}
