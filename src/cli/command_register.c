/* radseal register: one volume laid onto another of the same patient, and the transform that does it. */
#include <stdio.h>

#include "register/register.h"
#include "report.h"
#include "session.h"

#define NUMBER_SIZE 32

static enum rs_code choose(const struct command_line *line, struct rs_register *out, struct rs_error *err)
{
	uint64_t samples, levels, lattice, stiffness;
	*out = (struct rs_register)RS_REGISTER_DEFAULT;
	const char *kind = option_value(line, "kind");
	if (kind)
		RS_TRY(rs_transform_kind_of(kind, &out->kind, err));
	RS_TRY(option_u64(line, "samples", out->samples, UINT32_MAX, &samples, err));
	RS_TRY(option_u64(line, "levels", out->levels, RS_REGISTER_LEVELS_MAX, &levels, err));
	RS_TRY(option_u64(line, "lattice", (uint64_t)out->lattice_mm, 1000, &lattice, err));
	RS_TRY(option_u64(line, "stiffness", (uint64_t)out->stiffness, 1000000, &stiffness, err));
	RS_TRY(option_u64(line, "seed", out->seed, UINT64_MAX, &out->seed, err));
	out->samples = (unsigned)samples;
	out->levels = (unsigned)levels;
	out->lattice_mm = (double)lattice;
	out->stiffness = (double)stiffness;
	return RS_OK;
}

/* Where labels of a mask on the volume's grid are. *out is freed with rs_free; NULL when the option was not given. */
static enum rs_code read_region(const struct command_line *line, const char *option,
                                const struct rs_volume *volume, uint8_t **out, struct rs_error *err)
{
	const char *path = option_value(line, option);
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	const size_t count = rs_geometry_voxels(&volume->geometry);
	char note[256];
	if (!path)
		return RS_OK;
	RS_TRY(rs_mask_read_chosen(rs_world_system(), path, &volume->geometry, NULL, &mask, err));
	if (rs_mask_match(&volume->geometry, &mask, 0.01, note, sizeof note, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	*out = rs_allocate(count);
	if (!*out)
		return rs_error_memory(err, count, "a region");
	for (size_t i = 0; i < count; i++)
		(*out)[i] = mask.labels[i] != 0;
	return RS_OK;
}

static void tell(struct report *report, const struct rs_transform *transform,
                 const struct rs_register_report *found)
{
	const double numbers[] = {found->mi_before,   found->mi_after,       found->ncc_before,
	                          found->ncc_after,   found->overlap_before, found->overlap_after,
	                          found->greatest_mm, found->least_jacobian};
	char text[RS_COUNT(numbers)][NUMBER_SIZE], steps[NUMBER_SIZE];
	for (size_t i = 0; i < RS_COUNT(numbers); i++)
		snprintf(text[i], NUMBER_SIZE, "%.4f", numbers[i]);
	snprintf(steps, sizeof steps, "%u", found->steps);
	const struct field fields[] = {
		{"kind", rs_transform_kind_name(transform->kind), 8},
		{"moved", found->stayed ? "no" : "yes", 4},
		{"#mutual_information_before", text[0], 7},
		{"#mutual_information_after", text[1], 7},
		{"#correlation_before", text[2], 0},
		{"#correlation_after", text[3], 0},
		{"#overlap_before", text[4], 0},
		{"#overlap_after", text[5], 0},
		{"#greatest_mm", text[6], 8},
		{"#least_jacobian", text[7], 0},
		{"#steps", steps, 1},
	};
	report_row(report, fields, RS_COUNT(fields));
}

static enum rs_code find(const struct command_line *line, const struct rs_volume *fixed,
                         const struct rs_volume *moving, struct rs_pool *pool, struct rs_transform *out,
                         struct report *report, struct rs_error *err)
{
	struct rs_register how;
	struct rs_register_report found;
	uint8_t *fixed_region RS_CLEANUP(rs_free_pointer) = NULL,
			      *moving_region RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(choose(line, &how, err));
	RS_TRY(read_region(line, "fixed-mask", fixed, &fixed_region, err));
	RS_TRY(read_region(line, "moving-mask", moving, &moving_region, err));
	how.fixed_region = fixed_region;
	how.moving_region = moving_region;
	RS_TRY(rs_register(fixed, moving, &how, pool, out, &found, err));
	tell(report, out, &found);
	return RS_OK;
}

static enum rs_code read_transform(const char *path, struct rs_transform *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_TRANSFORM_BYTES_MAX, &file, err));
	if (rs_transform_read(rs_buffer_bytes(&file), out, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return RS_OK;
}

static enum rs_code write_transform(const char *path, const struct rs_transform *transform,
                                    struct rs_error *err)
{
	struct rs_buffer bytes RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&bytes, RS_TRANSFORM_BYTES_MAX);
	RS_TRY(rs_transform_write(transform, &bytes, err));
	return rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&bytes), 0644, err);
}

/* The moving volume, or mask, on the fixed one's grid. */
static enum rs_code lay(const struct command_line *line, const struct rs_transform *transform,
                        const struct rs_volume *fixed, const struct rs_volume *moving, struct rs_pool *pool,
                        struct rs_error *err)
{
	const char *path = option_value(line, "output");
	uint64_t order;
	RS_TRY(option_u64(line, "order", 3, 3, &order, err));
	if (option_given(line, "labels")) {
		struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0}, laid RS_CLEANUP(rs_mask_finish) = {0};
		RS_TRY(rs_mask_read(rs_world_system(), line->operands[1], &mask, err));
		RS_TRY(rs_transform_apply_mask(transform, &mask, &fixed->geometry, pool, &laid, err));
		return rs_mask_write(rs_world_system(), path, &laid, err);
	}
	struct rs_volume laid RS_CLEANUP(rs_volume_finish) = {0};
	RS_TRY(rs_transform_apply_volume(transform, moving, &fixed->geometry, (unsigned)order, 0, pool, &laid,
	                                 err));
	laid.stored = RS_VOXEL_F32;
	return rs_volume_write(rs_world_system(), path, &laid, err);
}

static enum rs_code check(const struct command_line *line, struct rs_error *err)
{
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "register takes two volumes: FIXED, and MOVING that is laid onto it");
	if (!option_given(line, "output") &&
	    (option_given(line, "apply") || !option_given(line, "transform")))
		return rs_error_set(err, RS_USAGE, "register: -o OUT says where the moving volume goes");
	if (option_given(line, "apply") && (option_given(line, "transform") || option_given(line, "kind")))
		return rs_error_set(
			err, RS_USAGE,
			"register: --apply takes a transform that is there; --kind and --transform are "
			"for one that is to be found");
	if (option_given(line, "labels") && !option_given(line, "apply"))
		return rs_error_set(
			err, RS_USAGE,
			"register: --labels takes a mask along a transform that --apply names; masks are "
			"not registered themselves");
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_volume fixed RS_CLEANUP(rs_volume_finish) = {0}, moving RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_transform transform RS_CLEANUP(rs_transform_finish) = {.control_mm = NULL};
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct report report RS_CLEANUP(report_finish) = {.is_list = false};
	RS_TRY(check(line, err));
	RS_TRY(rs_volume_read(rs_world_system(), line->operands[0], &fixed, err));
	if (!option_given(line, "labels"))
		RS_TRY(rs_volume_read(rs_world_system(), line->operands[1], &moving, err));
	RS_TRY(session_pool(line, 1, &pool, err));
	report_begin(&report, line, false);
	if (option_given(line, "apply"))
		RS_TRY(read_transform(option_value(line, "apply"), &transform, err));
	else
		RS_TRY(find(line, &fixed, &moving, pool, &transform, &report, err));
	if (option_given(line, "output"))
		RS_TRY(lay(line, &transform, &fixed, &moving, pool, err));
	if (option_given(line, "transform"))
		RS_TRY(write_transform(option_value(line, "transform"), &transform, err));
	return option_given(line, "apply") ? RS_OK : report_end(&report, err);
}

static const struct option options[] = {
	{"output", "FILE", "the moving volume on the fixed one's grid (.nii, .nii.gz, .nrrd)"},
	{"kind", "NAME", "rigid (default), affine or bspline"},
	{"transform", "FILE", "write the transform there (CBOR; the same bytes for the same volumes)"},
	{"apply", "FILE", "use this transform, look for none"},
	{"labels", NULL, "of --apply: MOVING is a mask; its labels go along, each voxel the nearest one's"},
	{"order", "N", "of the splines between voxels: 0 (nearest), 1 (linear) or 3 (default)"},
	{"fixed-mask", "FILE", "look at these voxels of the fixed volume only"},
	{"moving-mask", "FILE", "look at these voxels of the moving volume only"},
	{"lattice", "MM", "of bspline: distance of the finest control points (default 20)"},
	{"stiffness", "N",
         "of bspline: what bending costs; less where both volumes are rich in contrast (default 1000)"},
	{"samples", "N", "points that are looked at (default 60000)"},
	{"levels", "N", "of the pyramid (default 3)"},
	{"seed", "N", "of the points' places (default 1)"},
	{NULL, NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};
static const struct example examples[] = {
	{"radseal register t2.nii.gz adc.nii.gz -o adc_on_t2.nii.gz",
         "two sequences of one patient, rigidly"},
	{"radseal register t2/ t1/ --kind bspline -o t1_on_t2.nrrd --transform t1_to_t2.cbor",
         "DICOM series; the patient breathed differently"},
	{"radseal register t2/ t1_mask.nrrd --apply t1_to_t2.cbor --labels -o mask_on_t2.nrrd",
         "what was drawn on the other sequence, along the same transform"},
	{NULL, NULL},
};

const struct command command_register = {
	.name = "register",
	.arguments = "FIXED MOVING -o OUT [--kind rigid|affine|bspline] [--transform FILE] [--apply FILE]",
	.summary = "lay one volume of a patient onto another",
	.description =
		"Finds where the points of FIXED lie in MOVING, by mutual information, so that sequences of different\n"
		"contrast go together; in patient coordinates, whatever the orientation and size of voxels. It begins where\n"
		"the scanner says, from coarse to fine, and prints mutual information (nats), correlation and overlap before\n"
		"and after, as points tell that did not steer. When it became worse, the fields of view do not overlap, or the\n"
		"deformation folds space over itself, it refuses: the volumes are then best left where they are. Volumes are files\n"
		"or directories, as for extract.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.run = run,
};
