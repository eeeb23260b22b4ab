/* Hostile DICOM images, segmentations and structure sets: as volume, as mask, and onto a turned grid, whole and by label. */
#include "image_fuzz.h"

static const struct rs_geometry grid = {
	.size = {16, 12, 6},
	.spacing_mm = {0.7, 1.3, 4},
	.origin_mm = {-11, 20, 35},
	.direction = {{2. / 3, -1. / 3, 2. / 3}, {2. / 3, 2. / 3, -1. / 3}, {-1. / 3, 2. / 3, 2. / 3}},
};

/* Every label by its name or number, as a caller does with regions that overlap. */
static void read_each(const char *path, const struct rs_label *names, size_t count)
{
	for (size_t i = 0; i < count && i < 8; i++) {
		const char *text = names[i].name;
		const struct rs_label_choice choice = {&text, 1};
		struct rs_mask mask = {.labels = NULL};
		if (rs_mask_read_chosen(rs_world_system(), path, &grid, &choice, &mask, NULL) == RS_OK)
			rs_mask_finish(&mask);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct rs_mask mask = {.labels = NULL};
	struct rs_label *names = NULL;
	size_t count = 0;
	fuzz_image(data, size, ".dcm");
	fuzz_file(data, size, ".dcm", path);
	if (rs_mask_read_onto(rs_world_system(), path, &grid, &mask, NULL) == RS_OK)
		rs_mask_finish(&mask);
	if (rs_mask_names(rs_world_system(), path, &names, &count, NULL) == RS_OK)
		read_each(path, names, count);
	rs_free(names);
	unlink(path);
	return 0;
}
