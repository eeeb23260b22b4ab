/* Shared by the tests of node and of what stands on it: a simulated world with a node and files to seal. */
#ifndef RS_NODE_TEST_H
#define RS_NODE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_sim.h"
#include "dicom/dicom.h"
#include "node/node_act.h"
#include "node/node.h"

#define FILES 3

static char paths[FILES][16] = {"/data/a.nii", "/data/b.nii", "/data/c.nii"};
static char *const path_list[FILES] = {paths[0], paths[1], paths[2]};

/* A header of NIfTI-1 and the four bytes behind it: one slice of bytes as voxels. */
static inline void write_header(uint8_t out[static 352], uint16_t columns, uint16_t rows)
{
	const uint16_t grid[4] = {3, columns, rows, 1};
	memset(out, 0, 352);
	rs_write_le32(out, 348);
	for (size_t i = 0; i < RS_COUNT(grid); i++) {
		rs_write_le16(out + 40 + 2 * i, grid[i]);
		rs_write_le32(out + 76 + 4 * i, 0x3f800000); /* pixdim: 1 */
	}
	rs_write_le16(out + 70, 2);
	rs_write_le16(out + 72, 8);
	rs_write_le32(out + 108, 0x43b00000); /* vox_offset: 352 */
	memcpy(out + 344, "n+1", 4);
}

/* The second one is larger than a chunk of the vault. */
static inline void write_source(const struct rs_world *world, int number)
{
	static uint8_t bytes[352 + 1024 * 1100];
	uint16_t rows = number == 1 ? 1100 : 1;
	write_header(bytes, 1024, rows);
	bytes[500] = (uint8_t)number;
	assert_int_equal(rs_file_replace(world, paths[number], rs_bytes_of(bytes, 352 + (size_t)1024 * rows),
	                                 0600, NULL),
	                 RS_OK);
}

/* An instance instead, of nobody in particular: what the catalogue has rows of. */
static inline void write_instance(const struct rs_world *world, int number)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *uid = number ? "1.2.3.1" : "1.2.3.0";
	rs_buffer_init(&file, 1 << 16);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, 1 << 16);
	rs_dicom_builder_text(&builder, 0x00080018, "UI", uid);
	rs_dicom_builder_text(&builder, 0x00080020, "DA", "20260101");
	rs_dicom_builder_text(&builder, 0x00100010, "PN", "Doe^Jane");
	rs_dicom_builder_text(&builder, 0x0020000D, "UI", "1.2.3");
	rs_dicom_builder_text(&builder, 0x0020000E, "UI", "1.2.3.9");
	assert_int_equal(rs_dicom_builder_file(&builder, "1.2.840.10008.5.1.4.1.1.7", uid, &file, NULL),
	                 RS_OK);
	assert_int_equal(rs_file_replace(world, paths[number], rs_buffer_bytes(&file), 0600, NULL), RS_OK);
}

static inline struct rs_sim *make_world(void)
{
	struct rs_sim *sim;
	struct rs_error err = {0};
	assert_int_equal(rs_sim_create(7, &sim, &err), RS_OK);
	const struct rs_world *world = rs_sim_world(sim);
	assert_int_equal(rs_directory_make(world, "/data", &err), RS_OK);
	for (int i = 0; i < FILES; i++)
		write_source(world, i);
	assert_int_equal(rs_node_create(world, "/node", "Radiology", rs_bytes_of("", 0), &err), RS_OK);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL); /* what init promised is durable */
	return sim;
}

static inline struct rs_node *open_node(struct rs_sim *sim, const char *home, enum rs_node_access access)
{
	struct rs_node *node = NULL;
	struct rs_error err = {0};
	if (rs_node_open(rs_sim_world(sim), home, access, rs_bytes_of("", 0), NULL, &node, &err) != RS_OK)
		fail_msg("%s", err.message);
	return node;
}

static inline struct rs_actor *open_administrator(const struct rs_node *node)
{
	struct rs_actor *actor = NULL;
	struct rs_error err = {0};
	if (rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &actor, &err) != RS_OK)
		fail_msg("%s", err.message);
	return actor;
}

#endif
