/* Secondary Capture (PS3.3 annex A.8) of pictures and volumes; the pixels of JPEG stay as they are. */
#include "made.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dicom/dicom.h"
#include "filter.h"
#include "image/image.h"
#include "image/image_picture.h"

#define SECONDARY_CAPTURE "1.2.840.10008.5.1.4.1.1.7"
#define MULTI_FRAME_WORD "1.2.840.10008.5.1.4.1.1.7.3"
#define EXPLICIT_LE "1.2.840.10008.1.2.1"
#define JPEG_BASELINE "1.2.840.10008.1.2.4.50"
#define JPEG_EXTENDED "1.2.840.10008.1.2.4.51"
#define ORIGINAL_CREATOR "RADSEAL ORIGINAL 1"
#define LEVELS 65535
#define DAY_SIZE 9

enum source { SOURCE_PICTURE, SOURCE_JPEG, SOURCE_VOLUME };

/* What is shown: 16-bit values, or a JPEG stream. */
struct shown {
	enum source source;
	size_t width, height, frames, samples, bits;
	double *values; /* owned */
	double slope, intercept, spacing_mm[3];
	bool is_extended; /* JPEG */
};

static void shown_finish(struct shown *shown) { rs_free(shown->values); }

static void uid_of(const char *purpose, struct rs_bytes a, struct rs_bytes b, char out[static UID_TEXT])
{
	static const char label[] = "radseal edge uid v1";
	struct rs_sha256 hash;
	struct rs_digest digest;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, label, sizeof label);
	rs_sha256_update(&hash, purpose, strlen(purpose) + 1);
	rs_sha256_update(&hash, a.data, a.size);
	rs_sha256_update(&hash, "", 1);
	rs_sha256_update(&hash, b.data, b.size);
	rs_sha256_final(&hash, &digest);
	uid_of_digest(&digest, out);
}

static bool begins(struct rs_bytes file, const char *prefix, size_t size)
{
	return file.size >= size && memcmp(file.data, prefix, size) == 0;
}

/* ITU-T T.81: the frame's header tells what DICOM must. */
static enum rs_code read_jpeg(struct rs_bytes file, struct shown *out, struct rs_error *err)
{
	for (size_t at = 2; at + 9 < file.size;) {
		const uint8_t *here = file.data + at;
		size_t size = (size_t)here[2] << 8 | here[3];
		if (here[0] != 0xff || here[1] == 0xd9 || size < 2)
			break;
		if (here[1] == 0xc0 || here[1] == 0xc1) {
			*out = (struct shown){.source = SOURCE_JPEG,
			                      .height = (size_t)here[5] << 8 | here[6],
			                      .width = (size_t)here[7] << 8 | here[8],
			                      .frames = 1,
			                      .samples = here[9],
			                      .bits = here[4],
			                      .is_extended = here[1] == 0xc1};
			if (out->width == 0 || out->height == 0 || (out->samples != 1 && out->samples != 3) ||
			    out->bits != 8)
				return rs_error_set(err, RS_UNSUPPORTED,
				                    "a JPEG of such components is not taken");
			return RS_OK;
		}
		if (here[1] >= 0xc2 && here[1] <= 0xcf && here[1] != 0xc4 && here[1] != 0xc8 &&
		    here[1] != 0xcc)
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"a JPEG that is not baseline is not taken; convert it: jpegtran -revert");
		at += 2 + size;
	}
	return rs_error_set(err, RS_MALFORMED, "the JPEG has no frame");
}

static enum rs_code read_picture(struct rs_bytes file, struct shown *out, struct rs_error *err)
{
	struct rs_picture picture RS_CLEANUP(rs_picture_finish) = {.values = NULL};
	RS_TRY(rs_picture_read(file, &picture, err));
	size_t count = picture.width * picture.height;
	*out = (struct shown){
		.source = SOURCE_PICTURE, .width = picture.width, .height = picture.height, .frames = 1};
	out->values = rs_allocate_array(count, sizeof *out->values);
	if (!out->values)
		return rs_error_memory(err, count * sizeof *out->values, "a picture");
	for (size_t i = 0; i < count; i++)
		out->values[i] = (double)picture.values[i] * LEVELS;
	return RS_OK;
}

static enum rs_code read_volume(const struct making *making, struct shown *out, struct rs_error *err)
{
	struct rs_volume volume = {.voxels = NULL};
	RS_TRY(rs_volume_read(making->world, making->path, &volume, err));
	const struct rs_geometry *geometry = &volume.geometry;
	*out = (struct shown){.source = SOURCE_VOLUME,
	                      .width = geometry->size[0],
	                      .height = geometry->size[1],
	                      .frames = geometry->size[2],
	                      .values = volume.voxels};
	memcpy(out->spacing_mm, geometry->spacing_mm, sizeof out->spacing_mm);
	if (out->width <= UINT16_MAX && out->height <= UINT16_MAX && out->frames <= INT32_MAX)
		return RS_OK;
	return rs_error_set(err, RS_UNSUPPORTED, "DICOM has no images of that size");
}

static enum rs_code read_shown(const struct making *making, struct shown *out, struct rs_error *err)
{
	const struct rs_bytes file = making->original;
	const char *media = NULL;
	if (begins(file, "\xff\xd8\xff", 3))
		return read_jpeg(file, out, err);
	if (begins(file, "\x89PNG", 4) || begins(file, "P5", 2))
		return read_picture(file, out, err);
	RS_TRY(rs_image_inspect(file, &media, err));
	return media ? read_volume(making, out, err)
	             : rs_error_set(
			       err, RS_UNSUPPORTED,
			       "it is no image: DICOM, PNG, PGM, JPEG, NIfTI, NRRD and MetaImage are taken");
}

/* Whole values of 16 bits stay as they are, others are spread over them: value = slope × stored + intercept. */
static void fit(struct shown *shown)
{
	size_t count = shown->width * shown->height * shown->frames;
	double least = INFINITY, greatest = -INFINITY;
	bool whole = true;
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(shown->values[i]))
			shown->values[i] = 0;
		least = fmin(least, shown->values[i]);
		greatest = fmax(greatest, shown->values[i]);
		whole = whole && shown->values[i] == rint(shown->values[i]);
	}
	shown->slope = !whole && greatest > least ? (greatest - least) / LEVELS : 1;
	shown->intercept = whole && least >= 0 && greatest <= LEVELS ? 0 : least;
	if (whole && greatest - least > LEVELS)
		shown->slope = (greatest - least) / LEVELS;
	for (size_t i = 0; i < count; i++)
		shown->values[i] = rint((shown->values[i] - shown->intercept) / shown->slope);
}

static enum rs_code process(const struct rs_edge_options *options, struct shown *shown, struct rs_error *err)
{
	size_t count = shown->width * shown->height * shown->frames;
	RS_TRY(filter_slices(shown->values, shown->width, shown->height, shown->frames, options->filter,
	                     err));
	if (!options->normalise)
		return RS_OK;
	RS_TRY(filter_normalise(shown->values, count, err));
	for (size_t i = 0; i < count; i++)
		shown->values[i] = rint(shown->values[i] * LEVELS);
	return RS_OK;
}

static void name_uids(const struct making *making, const struct shown *shown, struct wrapped *out)
{
	const struct rs_edge_options *options = making->options;
	const char *patient = options->patient ? options->patient : "";
	char day[RS_TIME_TEXT_SIZE], way[32], content[2 * RS_SHA256_SIZE + 1];
	struct rs_digest digest;
	rs_sha256(making->original, &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, RS_SHA256_SIZE), content);
	rs_format_time_ms(making->modified_ms, day);
	(void)snprintf(way, sizeof way, "%d %d", (int)options->filter, (int)options->normalise);
	uid_of("study", rs_bytes_of_str(rs_str_from(*patient ? patient : content)), rs_bytes_of(day, 10),
	       out->study);
	uid_of("series", rs_bytes_of_str(rs_str_from(out->study)),
	       rs_bytes_of_str(rs_str_from(options->device)), out->series);
	uid_of("instance", rs_bytes_of_str(rs_str_from(content)), rs_bytes_of_str(rs_str_from(way)),
	       out->sop_instance);
	(void)snprintf(out->sop_class, UID_TEXT, "%s",
	               shown->source == SOURCE_VOLUME ? MULTI_FRAME_WORD : SECONDARY_CAPTURE);
	(void)snprintf(out->transfer_syntax, UID_TEXT, "%s",
	               shown->source != SOURCE_JPEG ? EXPLICIT_LE
	               : shown->is_extended         ? JPEG_EXTENDED
	                                            : JPEG_BASELINE);
}

static void put_identity(struct rs_dicom_builder *builder, const struct making *making,
                         const struct wrapped *wrapped)
{
	const struct rs_edge_options *options = making->options;
	const bool derived = options->filter != RS_EDGE_UNFILTERED || options->normalise;
	char time[RS_TIME_TEXT_SIZE], day[DAY_SIZE], clock[7];
	rs_format_time_ms(making->modified_ms, time);
	(void)snprintf(day, sizeof day, "%.4s%.2s%.2s", time, time + 5, time + 8);
	(void)snprintf(clock, sizeof clock, "%.2s%.2s%.2s", time + 11, time + 14, time + 17);
	rs_dicom_builder_text(builder, 0x00080008, "CS",
	                      derived ? "DERIVED\\SECONDARY" : "ORIGINAL\\SECONDARY");
	rs_dicom_builder_text(builder, 0x00080016, "UI", wrapped->sop_class);
	rs_dicom_builder_text(builder, 0x00080018, "UI", wrapped->sop_instance);
	rs_dicom_builder_text(builder, 0x00080020, "DA", day);
	rs_dicom_builder_text(builder, 0x00080023, "DA", day);
	rs_dicom_builder_text(builder, 0x00080030, "TM", clock);
	rs_dicom_builder_text(builder, 0x00080033, "TM", clock);
	rs_dicom_builder_text(builder, 0x00080050, "SH", "");
	rs_dicom_builder_text(builder, 0x00080060, "CS", "OT");
	rs_dicom_builder_text(builder, 0x00080064, "CS", "WSD");
	rs_dicom_builder_text(builder, 0x00080090, "PN", "");
	if (derived)
		rs_dicom_builder_text(
			builder, 0x00082111, "ST",
			options->filter == RS_EDGE_MEDIAN
				? (options->normalise ? "median of 3 x 3; normalised" : "median of 3 x 3")
			: options->filter == RS_EDGE_NLM
				? (options->normalise ? "non-local means; normalised" : "non-local means")
				: "normalised");
	rs_dicom_builder_text(builder, 0x00100010, "PN", "");
	rs_dicom_builder_text(builder, 0x00100020, "LO", options->patient ? options->patient : "");
	rs_dicom_builder_text(builder, 0x00100030, "DA", "");
	rs_dicom_builder_text(builder, 0x00100040, "CS", "");
	rs_dicom_builder_text(builder, 0x0020000D, "UI", wrapped->study);
	rs_dicom_builder_text(builder, 0x0020000E, "UI", wrapped->series);
	rs_dicom_builder_text(builder, 0x00200010, "SH", "");
	rs_dicom_builder_text(builder, 0x00200011, "IS", "");
	rs_dicom_builder_text(builder, 0x00200013, "IS", "");
}

static void put_number(struct rs_dicom_builder *builder, uint32_t tag, const char *vr, double value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%.10g", value);
	rs_dicom_builder_text(builder, tag, vr, text);
}

static void put_image(struct rs_dicom_builder *builder, const struct making *making,
                      const struct shown *shown)
{
	const bool is_jpeg = shown->source == SOURCE_JPEG, is_volume = shown->source == SOURCE_VOLUME;
	static const uint8_t frame_pointer[4] = {0x20, 0x00, 0x13,
	                                         0x00}; /* InstanceNumber: frames are in order */
	rs_dicom_builder_u16(builder, 0x00280002, (uint16_t)(is_jpeg ? shown->samples : 1));
	rs_dicom_builder_text(builder, 0x00280004, "CS",
	                      is_jpeg && shown->samples == 3 ? "YBR_FULL_422" : "MONOCHROME2");
	if (is_jpeg && shown->samples == 3)
		rs_dicom_builder_u16(builder, 0x00280006, 0);
	if (is_volume) {
		char spacing[72];
		put_number(builder, 0x00280008, "IS", (double)shown->frames);
		rs_dicom_builder_bytes(builder, 0x00280009, "AT",
		                       rs_bytes_of(frame_pointer, sizeof frame_pointer));
		rs_dicom_builder_u16(builder, 0x00280010, (uint16_t)shown->height);
		rs_dicom_builder_u16(builder, 0x00280011, (uint16_t)shown->width);
		(void)snprintf(spacing, sizeof spacing, "%.10g\\%.10g", shown->spacing_mm[1],
		               shown->spacing_mm[0]);
		rs_dicom_builder_text(builder, 0x00280030, "DS", spacing);
	} else {
		rs_dicom_builder_u16(builder, 0x00280010, (uint16_t)shown->height);
		rs_dicom_builder_u16(builder, 0x00280011, (uint16_t)shown->width);
	}
	rs_dicom_builder_u16(builder, 0x00280100, is_jpeg ? 8 : 16);
	rs_dicom_builder_u16(builder, 0x00280101, is_jpeg ? 8 : 16);
	rs_dicom_builder_u16(builder, 0x00280102, is_jpeg ? 7 : 15);
	rs_dicom_builder_u16(builder, 0x00280103, 0);
	rs_dicom_builder_text(builder, 0x00280301, "CS",
	                      "YES"); /* text may stand in the pixels: nobody looked */
	if (is_jpeg) {
		rs_dicom_builder_text(builder, 0x00282110, "CS", "01");
		return; /* the pixels are the original */
	}
	put_number(builder, 0x00281052, "DS", shown->intercept);
	put_number(builder, 0x00281053, "DS", shown->slope);
	rs_dicom_builder_text(builder, 0x00281054, "LO", "US");
	rs_dicom_builder_text(builder, 0x00990010, "LO", ORIGINAL_CREATOR);
	rs_dicom_builder_bytes(builder, 0x00991020, "OB", making->original);
}

static enum rs_code put_values(struct rs_dicom_builder *builder, const struct shown *shown,
                               struct rs_error *err)
{
	size_t count = shown->width * shown->height * shown->frames;
	uint16_t *words RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *words);
	if (!words)
		return rs_error_memory(err, count * sizeof *words, "pixels");
	for (size_t i = 0; i < count; i++)
		words[i] = (uint16_t)shown->values[i];
	rs_dicom_builder_words(builder, RS_DICOM_PIXEL_DATA, "OW", words, count);
	return RS_OK;
}

/* PS3.5 section A.4: an empty offset table and one fragment. */
static void put_fragments(struct rs_buffer *out, struct rs_bytes jpeg)
{
	static const uint8_t head[] = {0xe0, 0x7f, 0x10, 0x00, 'O', 'B', 0, 0, 0xff, 0xff, 0xff, 0xff,
	                               0xfe, 0xff, 0x00, 0xe0, 0,   0,   0, 0, 0xfe, 0xff, 0x00, 0xe0};
	static const uint8_t tail[] = {0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0};
	size_t stored = jpeg.size + jpeg.size % 2;
	rs_buffer_append(out, head, sizeof head);
	for (int shift = 0; shift < 32; shift += 8)
		rs_buffer_append_u8(out, (uint8_t)(stored >> shift));
	rs_buffer_append_bytes(out, jpeg);
	if (jpeg.size % 2)
		rs_buffer_append_u8(out, 0);
	rs_buffer_append(out, tail, sizeof tail);
}

enum rs_code make_dicom(const struct making *making, struct draft *draft, struct wrapped *out,
                        struct rs_error *err)
{
	struct shown shown RS_CLEANUP(shown_finish) = {.values = NULL};
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	RS_TRY(read_shown(making, &shown, err));
	if (shown.source != SOURCE_JPEG) {
		RS_TRY(process(making->options, &shown, err));
		fit(&shown);
	}
	name_uids(making, &shown, out);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, 4 * ORIGINAL_MAX);
	put_identity(&builder, making, out);
	put_image(&builder, making, &shown);
	if (shown.source == SOURCE_JPEG)
		put_fragments(&builder.body, making->original);
	else
		RS_TRY(put_values(&builder, &shown, err));
	if (builder.failure.code != RS_OK) {
		if (err)
			*err = builder.failure;
		return builder.failure.code;
	}
	RS_TRY(rs_buffer_check(&builder.body, "a data set", err));
	rs_sha256(rs_buffer_bytes(&builder.body), &out->sha256);
	out->length = builder.body.size;
	RS_TRY(wrapped_begin(draft, out, err));
	return draft_write(draft, rs_buffer_bytes(&builder.body), err);
}
