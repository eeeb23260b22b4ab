/* Morphology in the mode ibsi: the two masks laid over one box, that of the morphological one. */
#include <string.h>

#include "radiomics/ibsi.h"
#include "radiomics/morphology.h"

/* The intensity mask and its values in the morphological mask's box, which holds it. */
static void lay_over(const struct region *inner, const struct region *outer, uint8_t *inside, double *values)
{
	size_t from = 0, n = 0;
	for (size_t z = 0; z < inner->size[2]; z++)
		for (size_t y = 0; y < inner->size[1]; y++)
			for (size_t x = 0; x < inner->size[0]; x++, from++) {
				size_t at = z + inner->first[2] - outer->first[2];
				at = at * outer->size[1] + y + inner->first[1] - outer->first[1];
				at = at * outer->size[0] + x + inner->first[0] - outer->first[0];
				inside[at] = inner->inside[from];
				if (inner->inside[from])
					values[at] = inner->values[n++];
			}
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	const struct region *outer = &work->chain.morphological;
	struct morphology_input input = {.morphological = outer->inside};
	size_t cells = outer->size[0] * outer->size[1] * outer->size[2];
	uint8_t *inside RS_CLEANUP(rs_free_pointer) = rs_allocate(cells);
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(cells, sizeof *values);
	(void)volume;
	if (inside == NULL || values == NULL)
		return rs_error_memory(err, cells * 9, "two masks");
	lay_over(&work->chain.intensity, outer, inside, values);
	memcpy(input.size, outer->size, sizeof input.size);
	memcpy(input.spacing_mm, work->chain.volume->geometry.spacing_mm, sizeof input.spacing_mm);
	input.intensity = inside;
	input.values = values;
	return morphology_measure(&input, pool, out[0], err);
}

const struct ibsi_family ibsi_morphology = {"morph", IBSI_WHOLE, morphology_rows, MORPHOLOGY_COUNT, measure};
