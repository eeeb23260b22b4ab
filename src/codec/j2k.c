/* JPEG 2000, and its high throughput, by OpenJPEG. */
#include <openjpeg.h>
#include <string.h>

#include "codec/worker.h"

struct source {
	struct rs_bytes bytes;
	size_t at;
	char sentence[160]; /* the first thing that OpenJPEG complained of */
};

static OPJ_SIZE_T read_some(void *out, OPJ_SIZE_T size, void *context)
{
	struct source *source = context;
	const size_t left = source->bytes.size - source->at, count = size < left ? size : left;
	if (count == 0)
		return (OPJ_SIZE_T)-1;
	memcpy(out, source->bytes.data + source->at, count);
	source->at += count;
	return count;
}

static OPJ_OFF_T skip_some(OPJ_OFF_T size, void *context)
{
	struct source *source = context;
	const size_t left = source->bytes.size - source->at;
	if (size < 0)
		return -1;
	const size_t count = (uint64_t)size < left ? (size_t)size : left;
	source->at += count;
	return count == 0 && size > 0 ? -1 : (OPJ_OFF_T)count;
}

static OPJ_BOOL seek_to(OPJ_OFF_T at, void *context)
{
	struct source *source = context;
	if (at < 0 || (uint64_t)at > source->bytes.size)
		return OPJ_FALSE;
	source->at = (size_t)at;
	return OPJ_TRUE;
}

static OPJ_SIZE_T write_some(void *data, OPJ_SIZE_T size, void *context)
{
	return rs_buffer_append(context, data, size) == RS_OK ? size : (OPJ_SIZE_T)-1;
}

static void complain(const char *message, void *context)
{
	struct source *source = context;
	const size_t size = strcspn(message, "\r\n");
	if (source->sentence[0] == '\0')
		memcpy(source->sentence, message,
		       size < sizeof source->sentence ? size : sizeof source->sentence - 1);
}

static opj_codec_t *decoder_of(struct source *source)
{
	static const uint8_t boxed[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
	opj_dparameters_t parameters;
	const bool in_boxes = source->bytes.size > sizeof boxed &&
	                      memcmp(source->bytes.data, boxed, sizeof boxed) == 0;
	opj_codec_t *codec = opj_create_decompress(in_boxes ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
	opj_set_default_decoder_parameters(&parameters);
	parameters.flags |= OPJ_DPARAMETERS_IGNORE_PCLR_CMAP_CDEF_FLAG;
	if (codec == NULL)
		return NULL;
	opj_set_error_handler(codec, complain, source);
	if (!opj_setup_decoder(codec, &parameters)) {
		opj_destroy_codec(codec);
		return NULL;
	}
	return codec;
}

static enum rs_code check(const struct codec_job *job, const opj_image_t *image, struct rs_error *err)
{
	if (image->numcomps == 0)
		return rs_error_set(err, RS_MALFORMED, "a JPEG 2000 without components");
	const opj_image_comp_t *first = &image->comps[0];
	RS_TRY(codec_agrees(job, (uint64_t)image->y1 - image->y0, (uint64_t)image->x1 - image->x0,
	                    image->numcomps, first->prec, err));
	for (uint32_t c = 0; c < image->numcomps; c++)
		if (image->comps[c].dx != 1 || image->comps[c].dy != 1 ||
		    image->comps[c].prec != first->prec || first->prec > 31)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "a JPEG 2000 whose components differ in size or bits");
	return RS_OK;
}

static enum rs_code place(struct codec_job *job, const opj_image_t *image, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const size_t pixels = (size_t)shape->rows * shape->columns, bytes = shape->bits_allocated / 8;
	const uint32_t mask = ((uint32_t)1 << image->comps[0].prec) - 1; /* up to 31 bits */
	for (uint32_t c = 0; c < shape->samples; c++) {
		const opj_image_comp_t *component = &image->comps[c];
		if (component->data == NULL || component->w != shape->columns || component->h != shape->rows)
			return rs_error_set(err, RS_MALFORMED, "a JPEG 2000 that is cut off");
		for (size_t i = 0; i < pixels; i++) {
			const uint32_t value = (uint32_t)component->data[i] & mask;
			for (size_t k = 0; k < bytes; k++)
				job->out[(i * shape->samples + c) * bytes + k] = (uint8_t)(value >> (8 * k));
		}
	}
	job->what.bits = image->comps[0].prec;
	job->what.is_rgb = false;
	return RS_OK;
}

static enum rs_code read_image(struct codec_job *job, opj_codec_t *codec, opj_stream_t *stream,
                               struct source *source, opj_image_t **image, struct rs_error *err)
{
	const char *const sentence = source->sentence;
	if (!opj_read_header(stream, codec, image))
		return rs_error_set(err, RS_MALFORMED, "a damaged JPEG 2000: %s", sentence);
	RS_TRY(check(job, *image, err));
	if (!opj_decode(codec, stream, *image))
		return rs_error_set(err, RS_MALFORMED, "a damaged JPEG 2000: %s", sentence);
	return place(job, *image, err);
}

enum rs_code j2k_decode(struct codec_job *job, struct rs_error *err)
{
	struct source source = {.bytes = job->in};
	opj_image_t *image = NULL;
	enum rs_code code;
	opj_codec_t *codec = decoder_of(&source);
	opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
	if (codec == NULL || stream == NULL) {
		code = rs_error_memory(err, 0, "a JPEG 2000 decoder");
	} else {
		opj_stream_set_user_data(stream, &source, NULL);
		opj_stream_set_user_data_length(stream, source.bytes.size);
		opj_stream_set_read_function(stream, read_some);
		opj_stream_set_skip_function(stream, skip_some);
		opj_stream_set_seek_function(stream, seek_to);
		code = read_image(job, codec, stream, &source, &image, err);
	}
	opj_image_destroy(image);
	if (stream != NULL)
		opj_stream_destroy(stream);
	opj_destroy_codec(codec);
	return code;
}

/* ---- writing: without loss, reversible colours ---- */

static opj_image_t *image_of(const struct codec_job *job)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const size_t pixels = (size_t)shape->rows * shape->columns, bytes = shape->bits_allocated / 8;
	const unsigned unused = 32 - shape->bits_stored;
	opj_image_cmptparm_t parameters[4];
	memset(parameters, 0, sizeof parameters);
	for (uint32_t c = 0; c < shape->samples; c++)
		parameters[c] = (opj_image_cmptparm_t){.dx = 1,
		                                       .dy = 1,
		                                       .w = shape->columns,
		                                       .h = shape->rows,
		                                       .prec = shape->bits_stored,
		                                       .sgnd = shape->is_signed};
	opj_image_t *image = opj_image_create(shape->samples, parameters,
	                                      shape->samples == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
	if (image == NULL)
		return NULL;
	image->x1 = shape->columns;
	image->y1 = shape->rows;
	for (uint32_t c = 0; c < shape->samples; c++)
		for (size_t i = 0; i < pixels; i++) {
			uint32_t value = 0;
			for (size_t k = 0; k < bytes; k++)
				value |= (uint32_t)job->in.data[(i * shape->samples + c) * bytes + k]
				         << (8 * k);
			value = value << unused >> unused;
			if (shape->is_signed && value >> (shape->bits_stored - 1) != 0)
				value -= (uint32_t)(1ull << shape->bits_stored);
			image->comps[c].data[i] = (int32_t)value;
		}
	return image;
}

static bool write_image(opj_codec_t *codec, opj_stream_t *stream, opj_image_t *image,
                        const struct rs_codec_shape *shape)
{
	opj_cparameters_t parameters;
	opj_set_default_encoder_parameters(&parameters);
	parameters.tcp_numlayers = 1;
	parameters.tcp_rates[0] = 0; /* without loss */
	parameters.cp_disto_alloc = 1;
	parameters.tcp_mct = shape->samples == 3 && !shape->is_ybr;
	while (parameters.numresolution > 1 && (shape->rows >> (parameters.numresolution - 1) == 0 ||
	                                        shape->columns >> (parameters.numresolution - 1) == 0))
		parameters.numresolution--;
	return opj_setup_encoder(codec, &parameters, image) && opj_start_compress(codec, image, stream) &&
	       opj_encode(codec, stream) && opj_end_compress(codec, stream);
}

enum rs_code j2k_encode(struct codec_job *job, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	struct source source = {0};
	if (shape->bits_stored > 24)
		return rs_error_set(err, RS_UNSUPPORTED, "JPEG 2000 of %u bits is not written",
		                    shape->bits_stored);
	opj_image_t *image = image_of(job);
	opj_codec_t *codec = opj_create_compress(OPJ_CODEC_J2K);
	opj_stream_t *stream = opj_stream_default_create(OPJ_FALSE);
	bool good = image != NULL && codec != NULL && stream != NULL;
	if (good) {
		opj_set_error_handler(codec, complain, &source);
		opj_stream_set_user_data(stream, job->stream, NULL);
		opj_stream_set_write_function(stream, write_some);
		good = write_image(codec, stream, image, shape);
	}
	opj_image_destroy(image);
	if (stream != NULL)
		opj_stream_destroy(stream);
	opj_destroy_codec(codec);
	return good ? RS_OK : rs_error_set(err, RS_MALFORMED, "no JPEG 2000 was made: %s", source.sentence);
}
