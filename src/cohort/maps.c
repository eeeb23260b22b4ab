/* Measures the cube around each voxel, and writes a volume for each feature. */
#include "cohort/maps.h"

#include <stdio.h>
#include <string.h>

void map_paths_free(char **paths, size_t count)
{
	for (size_t i = 0; paths != NULL && i < count; i++)
		rs_free(paths[i]);
	rs_free(paths);
}

static char *map_path(const struct rs_cohort_job *job, const struct map_naming *naming, const char *feature)
{
	char label[80] = "";
	if (naming->choice != NULL) {
		memcpy(label, "_label-", 8);
		label_text(naming->choice, label + 7, sizeof label - 7);
	}
	return rs_text_printf("%s/Case-%zu%s%s%s_%s.%s", job->maps_directory, naming->index + 1,
	                      *naming->prefix ? "_" : "", naming->prefix, label, feature, job->maps_suffix);
}

static enum rs_code write_all(const struct rs_cohort_job *job, const struct rs_radiomics_maps *maps,
                              const struct map_naming *naming, char **paths, struct rs_error *err)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct rs_volume volume = {maps->geometry, RS_VOXEL_F64, maps->list[i].voxels};
		if (i >= naming->names->count ||
		    strcmp(naming->names->values[i].name, maps->list[i].name) != 0)
			return rs_error_set(err, RS_INTERNAL, "map %s was not planned", maps->list[i].name);
		paths[i] = map_path(job, naming, maps->list[i].name);
		if (paths[i] == NULL)
			return rs_error_memory(err, 64, "a path");
		RS_TRY(rs_volume_write(job->world, paths[i], &volume, err));
	}
	return RS_OK;
}

enum rs_code maps_write(const struct rs_cohort_job *job, const struct rs_volume *image,
                        const struct rs_mask *mask, const struct rs_radiomics_settings *settings,
                        const struct map_naming *naming, struct rs_pool *pool, char ***out_paths,
                        struct rs_radiomics_result *out_about, struct rs_error *err)
{
	struct rs_radiomics_maps maps RS_CLEANUP(rs_radiomics_maps_finish) = {0};
	RS_TRY(rs_radiomics_maps(image, mask, settings, pool, &maps, err));
	char **paths = rs_allocate_array(naming->names->count, sizeof *paths);
	if (paths == NULL)
		return rs_error_memory(err, naming->names->count * sizeof *paths, "paths of maps");
	enum rs_code code = maps.count == naming->names->count
	                            ? write_all(job, &maps, naming, paths, err)
	                            : rs_error_set(err, RS_INTERNAL, "%zu maps, not %zu", maps.count,
	                                           naming->names->count);
	if (code != RS_OK) {
		map_paths_free(paths, naming->names->count);
		return code;
	}
	*out_paths = paths;
	*out_about = maps.about;
	maps.about = (struct rs_radiomics_result){0};
	return RS_OK;
}
