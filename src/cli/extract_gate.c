/* One operation "extract" is asked for each sealed object of a case, images and masks. */
#include "extract_gate.h"

#include <string.h>

static void add(const char **paths, size_t *count, const char *path)
{
	for (size_t i = 0; i < *count; i++)
		if (path && strcmp(paths[i], path) == 0)
			return;
	if (path)
		paths[(*count)++] = path;
}

enum rs_code gate_permit(void *context, const struct rs_cohort_case *item, size_t image_count,
                         struct rs_error *err)
{
	struct gate *gate = context;
	const char *paths[2 * RS_COHORT_IMAGES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < image_count; i++) {
		add(paths, &count, item->images[i].image);
		add(paths, &count, item->images[i].mask);
	}
	pthread_mutex_lock(gate->mutex);
	enum rs_code code = rs_node_permit(gate->node, gate->actor, paths, count, gate->purpose,
	                                   RS_OPERATION_EXTRACT, err);
	gate->refused += code == RS_REFUSED;
	rs_node_rest(gate->node);
	pthread_mutex_unlock(gate->mutex);
	return code;
}
