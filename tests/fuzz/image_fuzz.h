/* Image readers take paths: the input is written to a file in memory (Linux: /dev/shm) of this process. */
#ifndef RS_IMAGE_FUZZ_H
#define RS_IMAGE_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/image.h"

static inline void fuzz_file(const uint8_t *data, size_t size, const char *suffix, char path[64])
{
	snprintf(path, 64, "/dev/shm/radseal-fuzz-%ld%s", (long)getpid(), suffix);
	FILE *file = fopen(path, "wb");
	if (!file)
		return;
	fwrite(data, 1, size, file);
	fclose(file);
}

static inline void fuzz_image(const uint8_t *data, size_t size, const char *suffix)
{
	char path[64];
	struct rs_volume volume = {.voxels = NULL};
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err = {0};
	fuzz_file(data, size, suffix, path);
	const char *media;
	bool sound = rs_image_inspect(rs_bytes_of(data, size), &media, &err) == RS_OK;
	if (rs_volume_read(rs_world_system(), path, &volume, &err) == RS_OK) {
		rs_volume_finish(&volume);
		if (!sound)
			abort(); /* what can be measured must be fit to be sealed */
	}
	if (rs_mask_read(rs_world_system(), path, &mask, &err) == RS_OK)
		rs_mask_finish(&mask);
	unlink(path);
}

#endif
