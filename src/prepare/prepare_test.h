/* Shared by the tests of prepare: MR images written onto a simulated disk. */
#ifndef RS_PREPARE_TEST_H
#define RS_PREPARE_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base_sim.h"
#include "dicom/dicom.h"
#include "image/image.h"
#include "prepare/prepare.h"

static struct rs_sim *test_sim;
static const struct rs_world *test_world;

static inline int test_setup(void **state)
{
	struct rs_error err = {0};
	(void)state;
	if (rs_sim_create(1, &test_sim, &err) != RS_OK)
		return -1;
	test_world = rs_sim_world(test_sim);
	return rs_directory_make(test_world, "/s", &err) == RS_OK ? 0 : -1;
}

static inline int test_teardown(void **state)
{
	(void)state;
	rs_sim_destroy(test_sim);
	return 0;
}

/* Attributes by ascending tag, ended by a tag of 0; of VR OB the value is test_binary. */
static struct rs_bytes test_binary;
struct attribute {
	uint32_t tag;
	const char *vr, *value;
};
#define SIDE 4
/* Of what is put next. */
static const char *test_frame = "1.2.3.9";
static double test_offset;

static inline void put_number(struct rs_dicom_builder *b, const struct attribute *a)
{
	uint8_t bytes[8];
	double value;
	assert_true(rs_parse_f64(rs_str_from(a->value), &value));
	size_t size = rs_voxel_store(value, strcmp(a->vr, "FD") == 0 ? RS_VOXEL_F64 : RS_VOXEL_F32, bytes);
	rs_dicom_builder_bytes(b, a->tag, a->vr, rs_bytes_of(bytes, size));
}

static inline void put_attributes(struct rs_dicom_builder *b, const struct attribute *list, uint32_t from,
                                  uint32_t below)
{
	for (; list && list->tag; list++)
		if (list->tag >= from && list->tag < below) {
			if (list->vr[0] == 'F')
				put_number(b, list);
			else if (strcmp(list->vr, "OB") == 0)
				rs_dicom_builder_bytes(b, list->tag, "OB", test_binary);
			else
				rs_dicom_builder_text(b, list->tag, list->vr, list->value);
		}
}

/* One slice of a series; `own` stand beside what every image has, whose tags they may not repeat. value: of all pixels. */
static inline void put_image(const char *path, const char *series, double z, unsigned instance,
                             uint16_t value, const struct attribute *own)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	uint16_t pixels[SIDE * SIDE];
	char text[64];
	for (size_t i = 0; i < SIDE * SIDE; i++)
		pixels[i] = value;
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	put_attributes(&b, own, 0, 0x00080060);
	rs_dicom_builder_text(&b, 0x00080060, "CS", "MR");
	put_attributes(&b, own, 0x00080061, 0x00100020);
	rs_dicom_builder_text(&b, 0x00100020, "LO", "P1");
	put_attributes(&b, own, 0x00100021, 0x0020000D);
	rs_dicom_builder_text(&b, 0x0020000D, "UI", "1.2.3");
	rs_dicom_builder_text(&b, 0x0020000E, "UI", series);
	(void)snprintf(text, sizeof text, "%s", strrchr(series, '.') + 1);
	rs_dicom_builder_text(&b, 0x00200011, "IS", text);
	(void)snprintf(text, sizeof text, "%u", instance);
	rs_dicom_builder_text(&b, 0x00200013, "IS", text);
	(void)snprintf(text, sizeof text, "0\\0\\%g", z + test_offset);
	rs_dicom_builder_text(&b, 0x00200032, "DS", text);
	rs_dicom_builder_text(&b, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
	rs_dicom_builder_text(&b, 0x00200052, "UI", test_frame);
	put_attributes(&b, own, 0x00200053, 0x00280002);
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_u16(&b, 0x00280010, SIDE);
	rs_dicom_builder_u16(&b, 0x00280011, SIDE);
	rs_dicom_builder_text(&b, 0x00280030, "DS", "2\\2");
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(&b, 0x00280100 + i, i < 2 ? 16 : i == 2 ? 15 : 0);
	put_attributes(&b, own, 0x00280104, UINT32_MAX);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", pixels, SIDE * SIDE);
	rs_buffer_init(&file, 1 << 20);
	if (rs_dicom_builder_file(&b, "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4", &file, &err) != RS_OK ||
	    rs_file_replace(test_world, path, rs_buffer_bytes(&file), 0600, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* `slices` of them, 5 mm apart; file names say nothing of the order. */
static inline void put_volume(const char *series, unsigned slices, unsigned first, uint16_t value,
                              const struct attribute *own)
{
	for (unsigned i = 0; i < slices; i++) {
		char path[96];
		unsigned instance = first + i;
		(void)snprintf(path, sizeof path, "/s/%u-%s-%u.dcm", 7919 * instance % 1000, series,
		               instance);
		put_image(path, series, 5.0 * i, instance, value, own);
	}
}

#endif
