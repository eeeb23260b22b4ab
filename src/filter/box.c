/* Boxes: the part of a volume that a filter writes. */
#include "filter/filter.h"

enum rs_code rs_box_check(const struct rs_box *box, const struct rs_geometry *geometry, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		if (box->size[a] == 0 || box->first[a] > geometry->size[a] ||
		    box->size[a] > geometry->size[a] - box->first[a])
			return rs_error_set(
				err, RS_USAGE, "voxels %zu to %zu along %c are not all in a volume of %zu",
				box->first[a], box->first[a] + box->size[a], "xyz"[a], geometry -> size[a]);
	return RS_OK;
}
