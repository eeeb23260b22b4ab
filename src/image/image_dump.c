/* For tests only: what the readers make of a file, for comparison with other programs.
 * image_dump volume|mask IN OUT [IMAGE [LABEL]]   geometry as text to stdout; voxels to OUT: raw doubles, or by OUT's
 * ending .nii …; a structure set is read onto IMAGE ("": none), of LABEL only. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"

static void print_geometry(const struct rs_geometry *g)
{
	printf("size %zu %zu %zu\n", g->size[0], g->size[1], g->size[2]);
	printf("spacing %.17g %.17g %.17g\n", g->spacing_mm[0], g->spacing_mm[1], g->spacing_mm[2]);
	printf("origin %.17g %.17g %.17g\n", g->origin_mm[0], g->origin_mm[1], g->origin_mm[2]);
	printf("direction");
	for (int row = 0; row < 3; row++)
		for (int axis = 0; axis < 3; axis++)
			printf(" %.17g", g->direction[row][axis]);
	printf("\n");
}

static bool is_image(const char *path)
{
	struct rs_str name = rs_str_from(path);
	return rs_str_ends_with(name, ".nii") || rs_str_ends_with(name, ".nii.gz") ||
	       rs_str_ends_with(name, ".nrrd");
}

static enum rs_code dump_volume(const char *in, const char *out, struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	const struct rs_world *world = rs_world_system();
	RS_TRY(rs_volume_read(world, in, &volume, err));
	print_geometry(&volume.geometry);
	printf("stored %d\n", (int)volume.stored);
	if (is_image(out))
		return rs_volume_write(world, out, &volume, err);
	struct rs_bytes bytes = {(const uint8_t *)volume.voxels,
	                         rs_geometry_voxels(&volume.geometry) * sizeof *volume.voxels};
	return rs_file_replace(world, out, bytes, 0600, err);
}

static enum rs_code dump_mask(const char *in, const char *out, const char *image_path, const char *label,
                              struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_volume image RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	const struct rs_world *world = rs_world_system();
	const struct rs_label_choice choice = {.texts = &label, .count = label != NULL};
	if (image_path)
		RS_TRY(rs_volume_read(world, image_path, &image, err));
	RS_TRY(rs_mask_read_chosen(world, in, image_path ? &image.geometry : NULL, &choice, &mask, err));
	if (mask.note[0])
		printf("note %s\n", mask.note);
	print_geometry(&mask.geometry);
	for (size_t i = 0; i < mask.name_count; i++)
		printf("label %" PRIu32 " %s\n", mask.names[i].value, mask.names[i].name);
	if (is_image(out))
		return rs_mask_write(world, out, &mask, err);
	struct rs_bytes bytes = {(const uint8_t *)mask.labels,
	                         rs_geometry_voxels(&mask.geometry) * sizeof *mask.labels};
	return rs_file_replace(world, out, bytes, 0600, err);
}

int main(int argc, char **argv)
{
	struct rs_error err = {0};
	if (argc < 4 || argc > 6 || (strcmp(argv[1], "volume") != 0 && strcmp(argv[1], "mask") != 0)) {
		fprintf(stderr, "image_dump volume|mask IN OUT [IMAGE [LABEL]]\n");
		return 2;
	}
	enum rs_code code = argv[1][0] == 'v'
	                            ? dump_volume(argv[2], argv[3], &err)
	                            : dump_mask(argv[2], argv[3], argc > 4 && argv[4][0] ? argv[4] : NULL,
	                                        argc > 5 ? argv[5] : NULL, &err);
	if (code != RS_OK)
		printf("REFUSED %s %s\n", rs_code_name(code), err.message);
	return code == RS_OK ? 0 : 1;
}
