/* Hostile frames for one decoder of the worker, in this process: six bytes of a header, then the stream. The includer says
 * KIND. What is accepted fills its frame; what is refused says why. */
#include <stdlib.h>
#include <string.h>

#include "codec/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIDE_MAX 64
static uint8_t out[SIDE_MAX * SIDE_MAX * 4 * 4 + 1];

static bool shape_of(const uint8_t *p, struct rs_codec_shape *shape)
{
	static const uint32_t allocated[] = {8, 16, 32, 1};
	*shape = (struct rs_codec_shape){.rows = p[0],
	                                 .columns = p[1],
	                                 .samples = p[2],
	                                 .bits_allocated = allocated[p[3] & 3],
	                                 .bits_stored = p[4],
	                                 .is_signed = p[5] & 1,
	                                 .is_ybr = p[5] & 2};
	return shape->rows <= SIDE_MAX && shape->columns <= SIDE_MAX && shape->samples <= 4;
}

static enum rs_code decode(const struct rs_codec_shape *shape, struct rs_bytes frame, struct rs_error *err)
{
	const struct codec_request request = {.kind = KIND, .shape = *shape};
	struct codec_job job = {.request = &request, .in = frame, .out = out};
	struct rs_codec_decoded what;
	if (KIND == CODEC_NONE)
		return rs_codec_decode(RS_CODEC_RLE, shape, frame, out, &what, err);
	RS_TRY(codec_work(&job, err));
	if (job.what.bits == 0 || job.what.bits > shape->bits_allocated)
		abort();
	return RS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_codec_shape shape;
	struct rs_error err = {0};
	size_t expected;
	if (size < 6 || !shape_of(data, &shape) || !rs_codec_size(&shape, &expected) ||
	    expected >= sizeof out)
		return 0;
	if (KIND != CODEC_NONE && (shape.bits_allocated == 1 || shape.bits_allocated == 64))
		return 0; /* the door turns these into others */
	out[expected] = 0xA5;
	if (decode(&shape, rs_bytes_of(data + 6, size - 6), &err) != RS_OK && err.message[0] == '\0')
		abort();
	if (out[expected] != 0xA5)
		abort();
	return 0;
}
