/* Image readers take paths: the input is written to a file in memory (Linux: /dev/shm) of this process, and read as volume, as
 * mask, onto a turned grid, and label by label. */
#ifndef RS_IMAGE_FUZZ_H
#define RS_IMAGE_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dicom/dicom.h"
#include "image/image.h"

static const struct rs_geometry fuzz_grid = {
	.size = {16, 12, 6},
	.spacing_mm = {0.7, 1.3, 4},
	.origin_mm = {-11, 20, 35},
	.direction = {{2. / 3, -1. / 3, 2. / 3}, {2. / 3, 2. / 3, -1. / 3}, {-1. / 3, 2. / 3, 2. / 3}},
};

/* Every label by its name, as a caller does with regions that overlap. */
static inline void fuzz_labels(const char *path)
{
	struct rs_label *names = NULL;
	size_t count = 0;
	if (rs_mask_names(rs_world_system(), path, &names, &count, NULL) != RS_OK)
		return;
	for (size_t i = 0; i < count && i < 8; i++) {
		const char *text = names[i].name;
		const struct rs_label_choice choice = {.texts = &text, .count = 1};
		struct rs_mask mask = {.labels = NULL};
		if (rs_mask_read_chosen(rs_world_system(), path, &fuzz_grid, &choice, &mask, NULL) == RS_OK)
			rs_mask_finish(&mask);
	}
	rs_free(names);
}

static inline void fuzz_image(const uint8_t *data, size_t size, const char *suffix)
{
	char path[64];
	struct rs_volume volume = {.voxels = NULL};
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err = {0};
	snprintf(path, sizeof path, "/dev/shm/radseal-fuzz-%ld%s", (long)getpid(), suffix);
	FILE *file = fopen(path, "wb");
	if (!file)
		return;
	fwrite(data, 1, size, file);
	fclose(file);
	const char *media;
	bool sound = rs_image_inspect(rs_bytes_of(data, size), &media, &err) == RS_OK;
	if (rs_volume_read(rs_world_system(), path, &volume, &err) == RS_OK) {
		rs_volume_finish(&volume);
		if (!sound && !rs_dicom_begins(rs_bytes_of(data, size)))
			abort(); /* what can be measured must be fit to be sealed */
	}
	if (rs_mask_read(rs_world_system(), path, &mask, &err) == RS_OK)
		rs_mask_finish(&mask);
	if (rs_mask_read_chosen(rs_world_system(), path, NULL,
	                        &(struct rs_label_choice){.has_channel = true, .channel = 1}, &mask,
	                        &err) == RS_OK)
		rs_mask_finish(&mask);
	if (rs_mask_read_chosen(rs_world_system(), path, &fuzz_grid, NULL, &mask, &err) == RS_OK)
		rs_mask_finish(&mask);
	fuzz_labels(path);
	unlink(path);
}

#endif
