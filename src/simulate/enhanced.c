/* A series as one file of many frames (PS3.3 A.36 and C.8.13, Enhanced MR Image IOD): what all frames share stands once, what is
 * a frame's own in its functional groups. */
#include <math.h>
#include <stdio.h>

#include "elements.h"

#define ENHANCED_MR_IMAGE_STORAGE "1.2.840.10008.5.1.4.1.1.4.1"
#define FILE_MAX ((size_t)1 << 29)
/* One maker stores twice the value, with a slope of a half: so that readers show whether they look. */
#define SLOPE_HALF 0.5
#define DURATION_MS 10000.0 /* of a volume */

struct frames {
	const struct instance_writer *writer;
	const struct image *images; /* of the volumes */
	const struct rs_geometry *geometry;
	struct rs_dicom_builder *b;
	struct naming naming;
};
struct row {
	uint32_t tag;
	const char *vr, *text;
};

static void put_rows(struct rs_dicom_builder *b, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rs_dicom_builder_text(b, rows[i].tag, rows[i].vr, rows[i].text);
}

static void put_u32(struct rs_dicom_builder *b, uint32_t tag, const uint32_t *values, size_t count)
{
	uint8_t bytes[4 * 4];
	for (size_t i = 0; i < count; i++)
		rs_write_le32(bytes + 4 * i, values[i]);
	rs_dicom_builder_bytes(b, tag, "UL", rs_bytes_of(bytes, 4 * count));
}

static void begin(struct rs_dicom_builder *b, uint32_t tag)
{
	rs_dicom_builder_begin(b, tag);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
}

static void end(struct rs_dicom_builder *b)
{
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_code(struct rs_dicom_builder *b, uint32_t tag, const char *value, const char *meaning)
{
	begin(b, tag);
	rs_dicom_builder_text(b, TAG(0008, 0100), "SH", value);
	rs_dicom_builder_text(b, TAG(0008, 0102), "SH", "SCT");
	rs_dicom_builder_text(b, TAG(0008, 0104), "LO", meaning);
	end(b);
}

static bool is_measured(const struct image *image) { return image->kind != IMAGE_ADC; }

static double slope_of(const struct instance_writer *writer)
{
	return scanner_of(writer->patient)->maker == PHILIPS_LIKE ? SLOPE_HALF : 1;
}

/* ---- the whole ---- */

static const char *contrast_of(const struct image *image)
{
	static const char *const words[] = {
		[IMAGE_T2] = "T2",         [IMAGE_T1] = "T1",    [IMAGE_DWI] = "DIFFUSION",
		[IMAGE_ADC] = "DIFFUSION", [IMAGE_FLIPS] = "T1", [IMAGE_DCE] = "PERFUSION"};
	return words[image->kind];
}

static const char *type_of(const struct image *image)
{
	static const char *const words[] = {[IMAGE_T2] = "ORIGINAL\\PRIMARY\\T2\\NONE",
	                                    [IMAGE_T1] = "ORIGINAL\\PRIMARY\\T1\\NONE",
	                                    [IMAGE_DWI] = "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE",
	                                    [IMAGE_ADC] = "DERIVED\\PRIMARY\\DIFFUSION\\ADC",
	                                    [IMAGE_FLIPS] = "ORIGINAL\\PRIMARY\\T1\\NONE",
	                                    [IMAGE_DCE] = "ORIGINAL\\PRIMARY\\PERFUSION\\NONE"};
	return words[image->kind];
}

/* Of the data set and of its frames alike. */
static void put_kind(struct rs_dicom_builder *b, const struct image *image)
{
	const struct row rows[] = {{TAG(0008, 9205), "CS", "MONOCHROME"},
	                           {TAG(0008, 9206), "CS", "VOLUME"},
	                           {TAG(0008, 9207), "CS", "NONE"},
	                           {TAG(0008, 9208), "CS", "MAGNITUDE"},
	                           {TAG(0008, 9209), "CS", contrast_of(image)}};
	put_rows(b, rows, RS_COUNT(rows));
}

static void put_head(struct frames *f)
{
	const struct image *image = f->images;
	const struct scanner *scanner = scanner_of(f->writer->patient);
	const struct naming *n = &f->naming;
	char moment[32];
	snprintf(moment, sizeof moment, "%s%s", n->date, n->time);
	const struct row rows[] = {{TAG(0008, 0005), "CS", "ISO_IR 100"},
	                           {TAG(0008, 0008), "CS", type_of(image)},
	                           {TAG(0008, 0016), "UI", ENHANCED_MR_IMAGE_STORAGE},
	                           {TAG(0008, 0018), "UI", n->instance_uid},
	                           {TAG(0008, 001C), "CS", "YES"},
	                           {TAG(0008, 0020), "DA", n->date},
	                           {TAG(0008, 0021), "DA", n->date},
	                           {TAG(0008, 0023), "DA", n->date},
	                           {TAG(0008, 002A), "DT", moment},
	                           {TAG(0008, 0030), "TM", n->study_time},
	                           {TAG(0008, 0031), "TM", n->time},
	                           {TAG(0008, 0033), "TM", n->time},
	                           {TAG(0008, 0050), "SH", ""},
	                           {TAG(0008, 0060), "CS", "MR"},
	                           {TAG(0008, 0070), "LO", maker_name(scanner)},
	                           {TAG(0008, 0080), "LO", scanner->institution},
	                           {TAG(0008, 0090), "PN", ""},
	                           {TAG(0008, 1030), "LO", STUDY_DESCRIPTION},
	                           {TAG(0008, 103E), "LO", image->description},
	                           {TAG(0008, 1090), "LO", scanner->model}};
	put_rows(f->b, rows, RS_COUNT(rows));
	put_kind(f->b, image);
	element_patient(f->b, f->writer->patient);
}

/* Ways into the body and its parts by SNOMED CT. */
static void put_agent(struct frames *f)
{
	struct rs_dicom_builder *b = f->b;
	if (f->images->kind != IMAGE_DCE)
		return;
	begin(b, TAG(0018, 0012));
	rs_dicom_builder_text(b, TAG(0008, 0100), "SH", "419909007");
	rs_dicom_builder_text(b, TAG(0008, 0102), "SH", "SCT");
	rs_dicom_builder_text(b, TAG(0008, 0104), "LO", AGENT_NAME);
	put_code(b, TAG(0018, 0014), "47625008", "Intravenous route");
	element_number(b, TAG(0018, 1041), "DS", floor(f->writer->patient->weight_kg * 10) / 100);
	element_number(b, TAG(0018, 1049), "DS", 157.25);
	rs_dicom_builder_u16(b, TAG(0018, 9337), 1);
	put_code(b, TAG(0018, 9338), "105879004", "Gadolinium");
	end(b);
}

/* How it was measured, of what was measured and not computed. */
static void put_pulses(struct frames *f)
{
	const struct image *image = f->images;
	const bool spin = image->kind == IMAGE_T2, planar = image->kind == IMAGE_DWI;
	const struct row first[] = {{TAG(0018, 9012), "CS", "NO"},
	                            {TAG(0018, 9014), "CS", "NO"},
	                            {TAG(0018, 9015), "CS", "NO"},
	                            {TAG(0018, 9017), "CS", "NONE"},
	                            {TAG(0018, 9018), "CS", planar ? "YES" : "NO"},
	                            {TAG(0018, 9024), "CS", "NO"},
	                            {TAG(0018, 9025), "CS", image->fat_suppressed ? "FAT" : "NONE"},
	                            {TAG(0018, 9029), "CS", "NONE"},
	                            {TAG(0018, 9032), "CS", "RECTILINEAR"},
	                            {TAG(0018, 9033), "CS", planar ? "SINGLE" : "PARTIAL"},
	                            {TAG(0018, 9034), "CS", "LINEAR"},
	                            {TAG(0018, 9064), "CS", "NONE"}};
	rs_dicom_builder_text(f->b, TAG(0018, 9005), "SH", "SIMULATED");
	rs_dicom_builder_text(f->b, TAG(0018, 9008), "CS", spin || planar ? "SPIN" : "GRADIENT");
	if (spin || planar)
		rs_dicom_builder_text(f->b, TAG(0018, 9011), "CS", spin ? "YES" : "NO");
	put_rows(f->b, first, RS_COUNT(first));
	element_double(f->b, TAG(0018, 9073), DURATION_MS / 1000 * image->places);
	rs_dicom_builder_u16(f->b, TAG(0018, 9093), 1);
	if (!spin && !planar)
		rs_dicom_builder_text(f->b, TAG(0018, 9094), "CS", "FULL");
}

static void put_scanner(struct frames *f)
{
	const struct image *image = f->images;
	const struct row rows[] = {{TAG(0018, 1000), "LO", "SIMULATED"},
	                           {TAG(0018, 1020), "LO", f->writer->options->version},
	                           {TAG(0018, 5100), "CS", "HFS"},
	                           {TAG(0018, 9004), "CS", "RESEARCH"}};
	put_agent(f);
	rs_dicom_builder_text(f->b, TAG(0018, 0015), "CS", "ABDOMEN");
	if (is_measured(image))
		rs_dicom_builder_text(f->b, TAG(0018, 0023), "CS",
		                      image->kind == IMAGE_T2 || image->kind == IMAGE_DWI ? "2D" : "3D");
	element_number(f->b, TAG(0018, 0087), "DS", scanner_of(f->writer->patient)->at_3t ? 3 : 1.5);
	put_rows(f->b, rows, RS_COUNT(rows));
	if (is_measured(image))
		put_pulses(f);
	rs_dicom_builder_text(f->b, TAG(0018, 9100), "CS", "1H");
	rs_dicom_builder_text(f->b, TAG(0018, 9174), "CS", "IEC");
}

/* ---- dimensions ---- */

/* What parts the volumes of a series; 0 in both where there is one. */
static struct row third_dimension(const struct image *image, uint32_t *group)
{
	if (image->places == 1)
		return (struct row){0, NULL, NULL};
	*group = image->kind == IMAGE_DWI ? TAG(0018, 9117) : TAG(0020, 9111);
	return image->kind == IMAGE_DWI ? (struct row){TAG(0018, 9087), NULL, "b-value"}
	                                : (struct row){TAG(0020, 9128), NULL, "Time"};
}

static void put_dimension(struct frames *f, const char *organisation, uint32_t pointer, uint32_t group,
                          const char *label)
{
	struct rs_dicom_builder *b = f->b;
	const uint16_t at[] = {(uint16_t)(pointer >> 16), (uint16_t)pointer},
		       in[] = {(uint16_t)(group >> 16), (uint16_t)group};
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, TAG(0020, 9164), "UI", organisation);
	rs_dicom_builder_words(b, TAG(0020, 9165), "AT", at, 2);
	rs_dicom_builder_words(b, TAG(0020, 9167), "AT", in, 2);
	rs_dicom_builder_text(b, TAG(0020, 9421), "LO", label);
	rs_dicom_builder_end(b);
}

static void put_place(struct frames *f)
{
	struct rs_dicom_builder *b = f->b;
	const struct naming *n = &f->naming;
	char organisation[65];
	uint32_t group = 0;
	const struct row third = third_dimension(f->images, &group);
	instance_uid(f->writer->options->seed, n->instance_uid, organisation);
	const struct row rows[] = {{TAG(0020, 000D), "UI", n->study_uid},
	                           {TAG(0020, 000E), "UI", n->series_uid},
	                           {TAG(0020, 0010), "SH", "1"}};
	put_rows(b, rows, RS_COUNT(rows));
	element_number(b, TAG(0020, 0011), "IS", f->images->series);
	element_number(b, TAG(0020, 0013), "IS", 1);
	rs_dicom_builder_text(b, TAG(0020, 0052), "UI", n->frame_uid);
	rs_dicom_builder_text(b, TAG(0020, 1040), "LO", "");
	rs_dicom_builder_text(b, TAG(0020, 4000), "LT", SYNTHETIC);
	begin(b, TAG(0020, 9221));
	rs_dicom_builder_text(b, TAG(0020, 9164), "UI", organisation);
	end(b);
	rs_dicom_builder_begin(b, TAG(0020, 9222));
	put_dimension(f, organisation, TAG(0020, 9056), TAG(0020, 9111), "Stack");
	put_dimension(f, organisation, TAG(0020, 9057), TAG(0020, 9111), "Slice");
	if (third.tag)
		put_dimension(f, organisation, third.tag, group, third.text);
	rs_dicom_builder_end(b);
}

static void put_pixels_described(struct frames *f, size_t frames)
{
	const uint16_t bits = slope_of(f->writer) < 1 || f->images->kind == IMAGE_ADC ? 16 : 12;
	struct rs_dicom_builder *b = f->b;
	rs_dicom_builder_u16(b, TAG(0028, 0002), 1);
	rs_dicom_builder_text(b, TAG(0028, 0004), "CS", "MONOCHROME2");
	element_number(b, TAG(0028, 0008), "IS", (double)frames);
	rs_dicom_builder_u16(b, TAG(0028, 0010), (uint16_t)f->geometry->size[1]);
	rs_dicom_builder_u16(b, TAG(0028, 0011), (uint16_t)f->geometry->size[0]);
	rs_dicom_builder_u16(b, TAG(0028, 0100), 16);
	rs_dicom_builder_u16(b, TAG(0028, 0101), bits);
	rs_dicom_builder_u16(b, TAG(0028, 0102), (uint16_t)(bits - 1));
	rs_dicom_builder_u16(b, TAG(0028, 0103), 0);
	rs_dicom_builder_text(b, TAG(0028, 0301), "CS", "NO");
	rs_dicom_builder_text(b, TAG(0028, 2110), "CS", "00");
	rs_dicom_builder_begin(b, TAG(0040, 0555));
	rs_dicom_builder_end(b);
	rs_dicom_builder_text(b, TAG(2050, 0020), "CS", "IDENTITY");
}

/* ---- functional groups ---- */

/* Groups of texts only; of what they say no reader of ours makes use, but others ask for them. */
static void share_coils(struct frames *f)
{
	static const struct row receive[] = {{TAG(0018, 1250), "SH", "SIMULATED"},
	                                     {TAG(0018, 9041), "LO", ""},
	                                     {TAG(0018, 9043), "CS", "BODY"},
	                                     {TAG(0018, 9044), "CS", "NO"}},
				transmit[] = {{TAG(0018, 1251), "SH", "SIMULATED"},
	                                      {TAG(0018, 9050), "LO", ""},
	                                      {TAG(0018, 9051), "CS", "BODY"}};
	struct rs_dicom_builder *b = f->b;
	begin(b, TAG(0018, 9006));
	element_number(b, TAG(0018, 0095), "DS", 300);
	rs_dicom_builder_text(b, TAG(0018, 9020), "CS", "NONE");
	rs_dicom_builder_text(b, TAG(0018, 9022), "CS", "NO");
	rs_dicom_builder_text(b, TAG(0018, 9028), "CS", "NONE");
	element_double(b, TAG(0018, 9098), scanner_of(f->writer->patient)->at_3t ? 123.2 : 63.87);
	end(b);
	begin(b, TAG(0018, 9042));
	put_rows(b, receive, RS_COUNT(receive));
	end(b);
	begin(b, TAG(0018, 9049));
	put_rows(b, transmit, RS_COUNT(transmit));
	end(b);
}

static void share_timing(struct frames *f)
{
	struct rs_dicom_builder *b = f->b;
	const struct image *image = f->images;
	begin(b, TAG(0018, 9112));
	element_number(b, TAG(0018, 0080), "DS", image->tr_ms);
	element_number(b, TAG(0018, 0091), "IS", image->echoes);
	element_number(b, TAG(0018, 1314), "DS", image->flip);
	begin(b, TAG(0018, 9176));
	rs_dicom_builder_text(b, TAG(0018, 9177), "CS", "RF");
	rs_dicom_builder_text(b, TAG(0018, 9178), "CS", "IEC_NORMAL");
	end(b);
	begin(b, TAG(0018, 9239));
	rs_dicom_builder_text(b, TAG(0018, 9179), "CS", "IEC_WHOLE_BODY");
	element_double(b, TAG(0018, 9181), 1);
	end(b);
	rs_dicom_builder_u16(b, TAG(0018, 9240), image->kind == IMAGE_T2 ? (uint16_t)image->echoes : 0);
	rs_dicom_builder_u16(b, TAG(0018, 9241), image->kind == IMAGE_T2 ? 0 : 1);
	end(b);
	begin(b, TAG(0018, 9114));
	element_double(b, TAG(0018, 9082), image->te_ms);
	end(b);
}

static void share_modifiers(struct frames *f)
{
	const bool spin = f->images->kind == IMAGE_T2 || f->images->kind == IMAGE_DWI;
	const struct row rows[] = {{TAG(0018, 9009), "CS", "NO"},
	                           {TAG(0018, 9010), "CS", "NONE"},
	                           {TAG(0018, 9016), "CS", spin ? "NONE" : "RF"},
	                           {TAG(0018, 9021), "CS", "NO"},
	                           {TAG(0018, 9026), "CS", "NONE"},
	                           {TAG(0018, 9027), "CS", "NONE"},
	                           {TAG(0018, 9077), "CS", "NO"},
	                           {TAG(0018, 9081), "CS", "NO"}};
	struct rs_dicom_builder *b = f->b;
	const size_t *size = f->geometry->size;
	begin(b, TAG(0018, 9115));
	put_rows(b, rows, RS_COUNT(rows));
	end(b);
	begin(b, TAG(0018, 9119));
	element_number(b, TAG(0018, 0083), "DS", 1);
	end(b);
	begin(b, TAG(0018, 9125));
	element_number(b, TAG(0018, 0093), "DS", 100);
	element_number(b, TAG(0018, 0094), "DS", 100.0 * (double)size[1] / (double)size[0]);
	rs_dicom_builder_text(b, TAG(0018, 1312), "CS", "COLUMN");
	rs_dicom_builder_u16(b, TAG(0018, 9058), (uint16_t)size[0]);
	rs_dicom_builder_u16(b, TAG(0018, 9231), (uint16_t)size[1]);
	if (!spin)
		rs_dicom_builder_u16(b, TAG(0018, 9232), (uint16_t)size[2]);
	end(b);
}

static void share_plane(struct frames *f)
{
	static const double axes[6] = {1, 0, 0, 0, 1, 0};
	struct rs_dicom_builder *b = f->b;
	const double *mm = f->geometry->spacing_mm, spacing[2] = {mm[1], mm[0]};
	begin(b, TAG(0018, 9226));
	rs_dicom_builder_text(b, TAG(0008, 9007), "CS", type_of(f->images));
	put_kind(b, f->images);
	end(b);
	begin(b, TAG(0020, 9071));
	put_code(b, TAG(0008, 2218), "818981001", "Abdomen");
	rs_dicom_builder_text(b, TAG(0020, 9072), "CS", "U");
	end(b);
	begin(b, TAG(0020, 9116));
	element_numbers(b, TAG(0020, 0037), "DS", axes, 6);
	end(b);
	begin(b, TAG(0028, 9110));
	element_number(b, TAG(0018, 0050), "DS", mm[2]);
	element_number(b, TAG(0018, 0088), "DS", mm[2]);
	element_numbers(b, TAG(0028, 0030), "DS", spacing, 2);
	end(b);
	begin(b, TAG(0028, 9145));
	element_number(b, TAG(0028, 1052), "DS", 0);
	element_number(b, TAG(0028, 1053), "DS", slope_of(f->writer));
	rs_dicom_builder_text(b, TAG(0028, 1054), "LO", "US");
	end(b);
}

static void put_content(struct frames *f, const struct image *image, size_t slice)
{
	struct rs_dicom_builder *b = f->b;
	const uint32_t index[] = {1, (uint32_t)slice + 1, image->place + 1};
	struct naming own;
	char moment[32];
	naming_init(&own, f->writer, image, "");
	snprintf(moment, sizeof moment, "%s%s", own.date, own.time);
	begin(b, TAG(0020, 9111));
	rs_dicom_builder_text(b, TAG(0018, 9074), "DT", moment);
	rs_dicom_builder_text(b, TAG(0018, 9151), "DT", moment);
	element_double(b, TAG(0018, 9220), DURATION_MS);
	rs_dicom_builder_text(b, TAG(0020, 9056), "SH", "1");
	put_u32(b, TAG(0020, 9057), &index[1], 1);
	if (image->kind == IMAGE_DCE && image->places > 1)
		put_u32(b, TAG(0020, 9128), &index[2], 1);
	rs_dicom_builder_u16(b, TAG(0020, 9156), (uint16_t)(image->place + 1));
	put_u32(b, TAG(0020, 9157), index, image->places > 1 ? 3 : 2);
	end(b);
}

static void put_weighting(struct frames *f, const struct image *image)
{
	struct rs_dicom_builder *b = f->b;
	if (image->kind == IMAGE_DWI) {
		begin(b, TAG(0018, 9117));
		rs_dicom_builder_text(b, TAG(0018, 9075), "CS", image->b > 0 ? "ISOTROPIC" : "NONE");
		element_double(b, TAG(0018, 9087), image->b);
		end(b);
	}
	if (image->kind == IMAGE_DCE) {
		begin(b, TAG(0018, 9341));
		rs_dicom_builder_u16(b, TAG(0018, 9337), 1);
		rs_dicom_builder_text(b, TAG(0018, 9342), "CS", image->phase_s > 0 ? "YES" : "NO");
		rs_dicom_builder_text(b, TAG(0018, 9343), "CS", "");
		end(b);
	}
}

static void put_frame(struct frames *f, const struct image *image, size_t slice, double brightest)
{
	struct rs_dicom_builder *b = f->b;
	const struct rs_geometry *g = f->geometry;
	const double position[3] = {g->origin_mm[0], g->origin_mm[1],
	                            g->origin_mm[2] + (double)slice * g->spacing_mm[2]};
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	put_weighting(f, image);
	put_content(f, image, slice);
	begin(b, TAG(0020, 9113));
	element_numbers(b, TAG(0020, 0032), "DS", position, 3);
	end(b);
	if (image->kind == IMAGE_DCE && image->places > 1) {
		begin(b, TAG(0020, 9310));
		element_double(b, TAG(0020, 930D), image->phase_s);
		end(b);
	}
	begin(b, TAG(0028, 9132));
	element_number(b, TAG(0028, 1050), "DS", floor(brightest / 3));
	element_number(b, TAG(0028, 1051), "DS", floor(2 * brightest / 3) + 1);
	end(b);
	rs_dicom_builder_end(b);
}

static enum rs_code write_file(struct frames *f, const char *directory, struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	const struct enhanced_series *series = f->writer->series;
	const size_t slices = f->geometry->size[2];
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "IM0001.dcm");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	naming_init(&f->naming, f->writer, f->images, "frames");
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, FILE_MAX);
	f->b = &builder;
	put_head(f);
	put_scanner(f);
	put_place(f);
	put_pixels_described(f, slices * f->images->places);
	begin(&builder, TAG(5200, 9229));
	if (is_measured(f->images)) {
		share_coils(f);
		share_timing(f);
		share_modifiers(f);
	}
	share_plane(f);
	end(&builder);
	rs_dicom_builder_begin(&builder, TAG(5200, 9230));
	for (size_t v = 0; v < f->images->places; v++)
		for (size_t slice = 0; slice < slices; slice++)
			put_frame(f, &f->images[v], slice, series->brightest[v]);
	rs_dicom_builder_end(&builder);
	rs_dicom_builder_bytes(&builder, RS_DICOM_PIXEL_DATA, "OW", rs_buffer_bytes(&series->pixels));
	return element_file(f->writer, &builder, path, ENHANCED_MR_IMAGE_STORAGE, f->naming.instance_uid,
	                    FILE_MAX, err);
}

enum rs_code enhanced_add(const struct instance_writer *writer, const struct image *image,
                          const struct rs_volume *volume, const char *directory, struct rs_error *err)
{
	struct enhanced_series *series = writer->series;
	struct frames frames = {
		.writer = writer, .images = image - image->place, .geometry = &volume->geometry};
	if (image->place == 0) {
		rs_buffer_finish(&series->pixels);
		rs_buffer_init(&series->pixels, FILE_MAX);
	}
	series->brightest[image->place] = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&volume->geometry); i++) {
		uint8_t word[2];
		rs_write_le16(word, (uint16_t)(volume->voxels[i] / slope_of(writer)));
		rs_buffer_append_bytes(&series->pixels, rs_bytes_of(word, sizeof word));
		series->brightest[image->place] = fmax(series->brightest[image->place], volume->voxels[i]);
	}
	RS_TRY(rs_buffer_check(&series->pixels, "frames", err));
	return image->place + 1 < image->places ? RS_OK : write_file(&frames, directory, err);
}
