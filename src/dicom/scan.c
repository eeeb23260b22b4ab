/* The window through which a file is walked that does not lie in memory, and the inflating of deflated data sets behind it
 * (PS3.5 annex A.5: raw deflate, RFC 1951). A deflated data set is inflated twice: once to learn its size, which every
 * length in it is checked against, once to be walked. */
#include <string.h>
#include <zlib.h>

#include "dicom/dicom_private.h"

#define CHUNK_SIZE 16384

struct dicom_inflater {
	const struct rs_dicom_source *source;
	uint64_t begin, taken; /* where the deflated bytes lie in the file, and how far they were read */
	uint64_t given;        /* inflated so far */
	z_stream z;
	bool ended;
	uint8_t in[CHUNK_SIZE];
};

static enum rs_code damaged(const struct dicom_inflater *inflater, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "the deflated data set at byte %llu is damaged or cut off",
	                    (unsigned long long)inflater->begin);
}

/* Gives up to `size` bytes; fewer only at the end. */
static enum rs_code inflate_some(struct dicom_inflater *inflater, uint8_t *out, size_t size, size_t *out_got,
                                 struct rs_error *err)
{
	z_stream *z = &inflater->z;
	z->next_out = out;
	z->avail_out = (uInt)size;
	while (z->avail_out && !inflater->ended) {
		uint64_t left = inflater->source->size - inflater->taken;
		if (z->avail_in == 0 && left) {
			size_t chunk = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
			RS_TRY(inflater->source->read(inflater->source->context, inflater->taken,
			                              inflater->in, chunk, err));
			z->next_in = inflater->in;
			z->avail_in = (uInt)chunk;
			inflater->taken += chunk;
		}
		int status = inflate(z, Z_NO_FLUSH);
		inflater->ended = status == Z_STREAM_END;
		if (status != Z_OK && status != Z_STREAM_END)
			return damaged(inflater, err);
	}
	*out_got = size - z->avail_out;
	inflater->given += *out_got;
	return RS_OK;
}

static enum rs_code start_inflating(struct dicom_inflater *inflater, struct rs_error *err)
{
	inflater->taken = inflater->begin;
	inflater->given = 0;
	inflater->ended = false;
	inflater->z = (z_stream){0};
	if (inflateInit2(&inflater->z, -MAX_WBITS) != Z_OK)
		return rs_error_set(err, RS_NO_MEMORY, "the deflated data set cannot be inflated");
	return RS_OK;
}

/* Everything up to `offset` is passed over. */
static enum rs_code read_inflated(struct dicom_inflater *inflater, uint64_t offset, uint8_t *out, size_t size,
                                  struct rs_error *err)
{
	uint8_t skipped[CHUNK_SIZE];
	size_t got;
	while (inflater->given < offset) {
		uint64_t left = offset - inflater->given;
		RS_TRY(inflate_some(inflater, skipped, left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, &got,
		                    err));
		if (got == 0)
			return damaged(inflater, err);
	}
	RS_TRY(inflate_some(inflater, out, size, &got, err));
	return got == size ? RS_OK : damaged(inflater, err);
}

static enum rs_code measure(struct dicom_inflater *inflater, struct rs_error *err)
{
	uint8_t passed[CHUNK_SIZE];
	size_t got;
	while (!inflater->ended) {
		RS_TRY(inflate_some(inflater, passed, sizeof passed, &got, err));
		if (inflater->given > RS_DICOM_INFLATED_MAX)
			return rs_error_set(err, RS_TOO_LARGE,
			                    "the inflated data set is larger than %zu bytes",
			                    RS_DICOM_INFLATED_MAX);
	}
	return RS_OK;
}

enum rs_code dicom_window_inflate(struct dicom_window *window, uint64_t pos, size_t *out_size,
                                  struct rs_error *err)
{
	struct dicom_inflater *inflater = rs_allocate(sizeof *inflater);
	if (!inflater)
		return rs_error_memory(err, sizeof *inflater, "a deflated data set");
	window->inflater = inflater;
	inflater->source = window->source;
	inflater->begin = pos;
	RS_TRY(start_inflating(inflater, err));
	RS_TRY(measure(inflater, err));
	window->start = window->size = 0;
	window->end = inflater->given;
	*out_size = (size_t)inflater->given;
	inflateEnd(&inflater->z);
	return start_inflating(inflater, err);
}

enum rs_code dicom_window_init(struct dicom_window *window, struct rs_error *err)
{
	window->bytes = rs_allocate(DICOM_WINDOW_SIZE);
	window->end = window->source->size;
	return window->bytes ? RS_OK : rs_error_memory(err, DICOM_WINDOW_SIZE, "a part of a file");
}

void dicom_window_finish(struct dicom_window *window)
{
	if (window->inflater)
		inflateEnd(&window->inflater->z);
	rs_free(window->inflater);
	rs_free(window->bytes);
}

enum rs_code dicom_window_look(struct dicom_window *window, uint64_t pos, size_t size, const uint8_t **out,
                               struct rs_error *err)
{
	uint64_t end = window->start + window->size;
	if (pos < window->start || pos + size > end) {
		size_t had = pos >= window->start && pos < end ? (size_t)(end - pos) : 0;
		uint64_t left = window->end - pos;
		size_t whole = left < DICOM_WINDOW_SIZE ? (size_t)left : DICOM_WINDOW_SIZE;
		uint8_t *rest = window->bytes + had;
		if (had)
			memmove(window->bytes, window->bytes + (pos - window->start), had);
		RS_TRY(window->inflater ? read_inflated(window->inflater, pos + had, rest, whole - had, err)
		                        : window->source->read(window->source->context, pos + had, rest,
		                                               whole - had, err));
		window->start = pos;
		window->size = whole;
	}
	*out = window->bytes + (pos - window->start);
	return RS_OK;
}

enum rs_code dicom_window_keep(struct dicom_window *window, uint64_t pos, size_t size, struct rs_arena *arena,
                               struct rs_bytes *out, struct rs_error *err)
{
	uint8_t *copy = rs_arena_allocate(arena, size);
	if (!copy)
		return rs_error_set(
			err, RS_TOO_LARGE,
			"the elements before the pixels take more than %zu bytes, or memory ended",
			DICOM_KEPT_TOTAL_MAX);
	for (size_t done = 0; done < size;) {
		size_t part = size - done < DICOM_WINDOW_SIZE ? size - done : DICOM_WINDOW_SIZE;
		const uint8_t *from;
		RS_TRY(dicom_window_look(window, pos + done, part, &from, err));
		memcpy(copy + done, from, part);
		done += part;
	}
	*out = rs_bytes_of(copy, size);
	return RS_OK;
}
