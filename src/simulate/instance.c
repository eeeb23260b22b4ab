/* MR images in files, with what makers add of their own: where the b-value stands differs between them. */
#include "elements.h"

#include <stdio.h>
#include <string.h>

#include "draw.h"

#define MR_IMAGE_STORAGE "1.2.840.10008.5.1.4.1.1.4"
#define FILE_MAX ((size_t)1 << 24)

/* ---- elements ---- */

struct slice {
	const struct instance_writer *writer;
	const struct image *image;
	const struct rs_volume *volume;
	size_t index;
	struct rs_dicom_builder *b;
	struct naming naming;
	double position[3], brightest; /* of the volume */
};

static void text(struct slice *s, uint32_t tag, const char *vr, const char *value)
{
	rs_dicom_builder_text(s->b, tag, vr, value);
}

static void put_float(struct slice *s, uint32_t tag, double value)
{
	uint8_t bytes[4];
	uint32_t bits;
	float narrow = (float)value;
	memcpy(&bits, &narrow, sizeof bits);
	rs_write_le32(bytes, bits);
	rs_dicom_builder_bytes(s->b, tag, "FL", rs_bytes_of(bytes, sizeof bytes));
}

static const char *image_type(const struct image *image)
{
	switch (image->kind) {
	case IMAGE_ADC: return "DERIVED\\PRIMARY\\ADC\\SYNTHETIC";
	case IMAGE_DWI: return "DERIVED\\PRIMARY\\DIFFUSION\\SYNTHETIC";
	default: return "DERIVED\\PRIMARY\\OTHER\\SYNTHETIC";
	}
}

static void put_study(struct slice *s)
{
	const struct scanner *scanner = scanner_of(s->writer->patient);
	text(s, TAG(0008, 0005), "CS", "ISO_IR 100");
	text(s, TAG(0008, 0008), "CS", image_type(s->image));
	text(s, TAG(0008, 0016), "UI", MR_IMAGE_STORAGE);
	text(s, TAG(0008, 0018), "UI", s->naming.instance_uid);
	text(s, TAG(0008, 001C), "CS", "YES");
	for (uint32_t tag = TAG(0008, 0020); tag <= TAG(0008, 0023);
	     tag++) /* study, series, acquisition, content */
		text(s, tag, "DA", s->naming.date);
	text(s, TAG(0008, 0030), "TM", s->naming.study_time);
	for (uint32_t tag = TAG(0008, 0031); tag <= TAG(0008, 0033); tag++)
		text(s, tag, "TM", s->naming.time);
	text(s, TAG(0008, 0050), "SH", "");
	text(s, TAG(0008, 0060), "CS", "MR");
	text(s, TAG(0008, 0070), "LO", maker_name(scanner));
	text(s, TAG(0008, 0080), "LO", scanner->institution);
	text(s, TAG(0008, 0090), "PN", "");
	text(s, TAG(0008, 1030), "LO", STUDY_DESCRIPTION);
	text(s, TAG(0008, 103E), "LO", s->image->description);
	text(s, TAG(0008, 1090), "LO", scanner->model);
	text(s, TAG(0008, 2111), "ST", "Simulated by signal equations from a generated body");
}

static void put_sequence(struct slice *s)
{
	const struct image *image = s->image;
	const struct scanner *scanner = scanner_of(s->writer->patient);
	const bool spin = image->kind == IMAGE_T2,
		   planar = image->kind == IMAGE_DWI || image->kind == IMAGE_ADC;
	text(s, TAG(0018, 0015), "CS", "ABDOMEN");
	text(s, TAG(0018, 0020), "CS", spin ? "SE" : planar ? "SE\\EP" : "GR");
	text(s, TAG(0018, 0021), "CS", spin || planar ? "SK" : "SP");
	text(s, TAG(0018, 0022), "CS", image->fat_suppressed ? "FS" : "");
	text(s, TAG(0018, 0023), "CS", spin || planar ? "2D" : "3D");
	element_number(s->b, TAG(0018, 0050), "DS", image->spacing_mm[2]);
	element_number(s->b, TAG(0018, 0080), "DS", image->tr_ms);
	element_number(s->b, TAG(0018, 0081), "DS", image->te_ms);
	element_number(s->b, TAG(0018, 0083), "DS", 1);
	element_number(s->b, TAG(0018, 0084), "DS", scanner->at_3t ? 123.2 : 63.87);
	text(s, TAG(0018, 0085), "SH", "1H");
	element_number(s->b, TAG(0018, 0087), "DS", scanner->at_3t ? 3 : 1.5);
	element_number(s->b, TAG(0018, 0088), "DS", image->spacing_mm[2]);
	element_number(s->b, TAG(0018, 0091), "IS", image->echoes);
	text(s, TAG(0018, 1020), "LO", s->writer->options->version);
}

/* (0018,1041) and on: the agent, where it is in the body; (0018,0010) comes first and is put by put_agent(). */
static void put_contrast_and_angle(struct slice *s)
{
	char date[9], time[16];
	const struct patient *p = s->writer->patient;
	if (s->image->kind == IMAGE_DCE) {
		element_number(s->b, TAG(0018, 1041), "DS",
		               floor(p->weight_kg * 10) / 100); /* ml: 0.1 mmol/kg of 1 mmol/ml */
		instance_time(p->study_ms + (uint64_t)(1000 * (s->image->start_s - s->image->phase_s)), date,
		              time);
		text(s, TAG(0018, 1042), "TM", time);
		text(s, TAG(0018, 1048), "CS", "GADOLINIUM");
		element_number(s->b, TAG(0018, 1049), "DS", 157.25); /* mg of gadolinium in a ml */
	}
	element_number(s->b, TAG(0018, 1314), "DS", s->image->flip);
	text(s, TAG(0018, 5100), "CS", "HFS");
}

static void put_standard_b(struct slice *s)
{
	if (s->image->kind != IMAGE_DWI)
		return;
	const enum maker maker = scanner_of(s->writer->patient)->maker;
	if (maker == PHILIPS_LIKE || maker == CANON_LIKE) {
		text(s, TAG(0018, 9075), "CS", s->image->b > 0 ? "ISOTROPIC" : "NONE");
		element_double(s->b, TAG(0018, 9087), s->image->b);
	} else if (maker == SIEMENS_LIKE) {
		text(s, TAG(0019, 0010), "LO", "SIEMENS MR HEADER");
		element_number(s->b, TAG(0019, 100C), "IS", s->image->b);
	}
}

/* GE adds 10^9 to the b-value, and three other numbers behind it. */
static void put_private_b(struct slice *s)
{
	char line[48];
	if (s->image->kind != IMAGE_DWI)
		return;
	const enum maker maker = scanner_of(s->writer->patient)->maker;
	if (maker == GE_LIKE) {
		text(s, TAG(0043, 0010), "LO", "GEMS_PARM_01");
		snprintf(line, sizeof line, "%.0f\\8\\0\\0", 1e9 + s->image->b);
		text(s, TAG(0043, 1039), "IS", line);
	} else if (maker == PHILIPS_LIKE) {
		text(s, TAG(2001, 0010), "LO", "Philips Imaging DD 001");
		put_float(s, TAG(2001, 1003), s->image->b);
	}
}

static void put_place(struct slice *s)
{
	static const double axes[6] = {1, 0, 0, 0, 1, 0};
	const struct image *image = s->image;
	size_t slices = s->volume->geometry.size[2];
	text(s, TAG(0020, 000D), "UI", s->naming.study_uid);
	text(s, TAG(0020, 000E), "UI", s->naming.series_uid);
	text(s, TAG(0020, 0010), "SH", "1");
	element_number(s->b, TAG(0020, 0011), "IS", image->series);
	element_number(s->b, TAG(0020, 0012), "IS", image->place + 1);
	element_number(s->b, TAG(0020, 0013), "IS", (double)(image->place * slices + s->index + 1));
	element_numbers(s->b, TAG(0020, 0032), "DS", s->position, 3);
	element_numbers(s->b, TAG(0020, 0037), "DS", axes, 6);
	text(s, TAG(0020, 0052), "UI", s->naming.frame_uid);
	if (image->kind == IMAGE_DCE && image->places > 1) {
		element_number(s->b, TAG(0020, 0100), "IS", image->place + 1);
		element_number(s->b, TAG(0020, 0105), "IS", image->places);
	}
	text(s, TAG(0020, 1040), "LO", "");
	element_number(s->b, TAG(0020, 1041), "DS", s->position[2]);
	text(s, TAG(0020, 4000), "LT", SYNTHETIC);
}

static void put_pixels(struct slice *s, uint16_t *words)
{
	const struct rs_geometry *g = &s->volume->geometry;
	const double spacing[2] = {g->spacing_mm[1], g->spacing_mm[0]};
	const size_t count = g->size[0] * g->size[1];
	const double *voxels = s->volume->voxels + s->index * count;
	for (size_t i = 0; i < count; i++)
		words[i] = (uint16_t)voxels[i];
	const uint16_t bits = s->image->kind == IMAGE_ADC ? 16 : 12;
	rs_dicom_builder_u16(s->b, TAG(0028, 0002), 1);
	text(s, TAG(0028, 0004), "CS", "MONOCHROME2");
	rs_dicom_builder_u16(s->b, TAG(0028, 0010), (uint16_t)g->size[1]);
	rs_dicom_builder_u16(s->b, TAG(0028, 0011), (uint16_t)g->size[0]);
	element_numbers(s->b, TAG(0028, 0030), "DS", spacing, 2);
	rs_dicom_builder_u16(s->b, TAG(0028, 0100), 16);
	rs_dicom_builder_u16(s->b, TAG(0028, 0101), bits);
	rs_dicom_builder_u16(s->b, TAG(0028, 0102), (uint16_t)(bits - 1));
	rs_dicom_builder_u16(s->b, TAG(0028, 0103), 0);
	element_number(s->b, TAG(0028, 1050), "DS", floor(s->brightest / 3));
	element_number(s->b, TAG(0028, 1051), "DS", floor(2 * s->brightest / 3) + 1);
	put_private_b(s);
	rs_dicom_builder_words(s->b, RS_DICOM_PIXEL_DATA, "OW", words, count);
}

/* ---- files ---- */

static void build(struct slice *s, uint16_t *words)
{
	put_study(s);
	element_patient(s->b, s->writer->patient);
	if (s->image->kind == IMAGE_DCE)
		text(s, TAG(0018, 0010), "LO", AGENT_NAME);
	put_sequence(s);
	put_contrast_and_angle(s);
	put_standard_b(s);
	put_place(s);
	put_pixels(s, words);
}

static enum rs_code write_slice(struct slice *s, const char *directory, uint16_t *words, struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	const struct rs_geometry *g = &s->volume->geometry;
	char instance[48];
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/IM%04zu.dcm", directory,
	                                                        s->image->place * g->size[2] + s->index + 1);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	for (int i = 0; i < 3; i++)
		s->position[i] = g->origin_mm[i] + (i == 2 ? (double)s->index * g->spacing_mm[2] : 0);
	s->b = &builder;
	snprintf(instance, sizeof instance, "%u/%zu", s->image->place, s->index);
	naming_init(&s->naming, s->writer, s->image, instance);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, FILE_MAX);
	build(s, words);
	return element_file(s->writer, &builder, path, MR_IMAGE_STORAGE, s->naming.instance_uid, FILE_MAX,
	                    err);
}

enum rs_code instance_write_series(const struct instance_writer *writer, const struct image *image,
                                   const struct rs_volume *volume, struct rs_error *err)
{
	const size_t area = volume->geometry.size[0] * volume->geometry.size[1];
	struct slice slice = {.writer = writer, .image = image, .volume = volume};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_join(writer->study_directory, image->directory);
	uint16_t *words RS_CLEANUP(rs_free_pointer) = rs_allocate_array(area, sizeof *words);
	if (!directory || !words)
		return rs_error_memory(err, area * sizeof *words, "a slice");
	if (image->place == 0)
		RS_TRY(writer->world->files->make_directory(writer->world->files, directory, 0755, err));
	if (writer->series)
		return enhanced_add(writer, image, volume, directory, err);
	for (size_t i = 0; i < rs_geometry_voxels(&volume->geometry); i++)
		if (volume->voxels[i] > slice.brightest)
			slice.brightest = volume->voxels[i];
	for (slice.index = 0; slice.index < volume->geometry.size[2]; slice.index++)
		RS_TRY(write_slice(&slice, directory, words, err));
	return RS_OK;
}
