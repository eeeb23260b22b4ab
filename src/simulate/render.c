/* Sampling the map: the middle of each voxel is followed to its place in the map, where eight points stand for the voxel. */
#include "render.h"

#include "draw.h"

#define PIXEL_MAX 4095
#define DISTORTION_REACH_MM 45.0

/* How far a place goes along with the breath: not at all near the spine, wholly at the front. */
static double breathes(const double at[3])
{
	double t = draw_clamp((70 - at[1]) / 110, 0, 1);
	return t * t * (3 - 2 * t);
}

void render_place(const struct anatomy *anatomy, const struct movement *m, const double at[static 3],
                  double out[static 3])
{
	double s = m->turn, c = sqrt(1 - s * s), share = breathes(at);
	double q[3] = {c * at[0] - s * at[1] + m->shift_mm[0], s * at[0] + c * at[1] + m->shift_mm[1],
	               at[2] + m->shift_mm[2]};
	q[2] += m->breath_mm * share;
	q[1] -= 0.2 * m->breath_mm * share;
	if (m->distortion_mm != 0) {
		/* The field bends near gas, and slowly over the whole. */
		double square = 0;
		for (int i = 0; i < 3; i++)
			square += (at[i] - anatomy->gas[i]) * (at[i] - anatomy->gas[i]);
		double near = exp(-square / (2 * DISTORTION_REACH_MM * DISTORTION_REACH_MM));
		q[1] += m->distortion_mm * (near + 0.35 * sin(at[0] / 60 + 0.5) * cos(at[1] / 75));
	}
	anatomy_bend(anatomy, q, out);
}

/* Two cells of the map along an axis, a quarter of the voxel on either side of its middle. */
static void two_cells(const struct rs_geometry *map, int axis, double middle, double voxel_mm, size_t out[2])
{
	for (int i = 0; i < 2; i++) {
		double at = (middle + (i ? 0.25 : -0.25) * voxel_mm - map->origin_mm[axis]) /
		            map->spacing_mm[axis];
		out[i] = (size_t)draw_clamp(at + 0.5, 0, (double)map->size[axis] - 1);
	}
}

static void eight_labels(const struct anatomy *anatomy, const double place[3], const double voxel_mm[3],
                         uint8_t out[static 8])
{
	const struct rs_geometry *map = &anatomy->grid;
	size_t cells[3][2];
	for (int axis = 0; axis < 3; axis++)
		two_cells(map, axis, place[axis], voxel_mm[axis], cells[axis]);
	for (size_t i = 0; i < 8; i++)
		out[i] = anatomy->labels[(cells[2][i >> 2] * map->size[1] + cells[1][i >> 1 & 1]) *
		                                 map->size[0] +
		                         cells[0][i & 1]];
}

static bool all_air(const uint8_t labels[static 8])
{
	static const uint8_t air[8]; /* AIR is 0 */
	return memcmp(labels, air, sizeof air) == 0;
}

/* Places of an image whose axes are those of the body. */
static void voxel_at(const struct rs_geometry *g, size_t x, size_t y, size_t z, double out[3])
{
	out[0] = g->origin_mm[0] + (double)x * g->spacing_mm[0];
	out[1] = g->origin_mm[1] + (double)y * g->spacing_mm[1];
	out[2] = g->origin_mm[2] + (double)z * g->spacing_mm[2];
}

static double sensitivity(const struct receiver *receiver, const double at[3])
{
	double sum = 0;
	for (int i = 0; i < 3; i++) {
		double t = at[i] / REACH_MM;
		sum += t * (receiver->shading[i] + t * receiver->shading[3 + i]);
	}
	return receiver->gain * exp(sum);
}

void render(const struct anatomy *anatomy, const struct field *grain, const struct movement *movement,
            const double looks[static LABELS], const double grains[static LABELS],
            const struct receiver *receiver, struct rs_stream *stream, struct rs_volume *out)
{
	const struct rs_geometry *g = &out->geometry;
	size_t voxel = 0;
	for (size_t z = 0; z < g->size[2]; z++)
		for (size_t y = 0; y < g->size[1]; y++)
			for (size_t x = 0; x < g->size[0]; x++, voxel++) {
				double at[3], place[3], rough[3] = {0}, noise[2], signal = 0;
				uint8_t labels[8];
				voxel_at(g, x, y, z, at);
				render_place(anatomy, movement, at, place);
				eight_labels(anatomy, place, g->spacing_mm, labels);
				if (!all_air(labels))
					field_at(grain, place, rough);
				for (size_t i = 0; i < 8; i++)
					signal += looks[labels[i]] * (1 + grains[labels[i]] * rough[0]);
				signal *= sensitivity(receiver, at) / 8;
				draw_normals(stream, noise);
				double real = signal + receiver->noise * noise[0],
				       other = receiver->noise * noise[1];
				out->voxels[voxel] = fmin(floor(sqrt(real * real + other * other) + 0.5),
				                          PIXEL_MAX);
			}
}

void render_truth(const struct anatomy *anatomy, const double values[static LABELS], struct rs_volume *out)
{
	static const struct movement still;
	const struct rs_geometry *g = &out->geometry;
	size_t voxel = 0;
	for (size_t z = 0; z < g->size[2]; z++)
		for (size_t y = 0; y < g->size[1]; y++)
			for (size_t x = 0; x < g->size[0]; x++, voxel++) {
				double at[3], place[3], sum = 0;
				uint8_t labels[8];
				voxel_at(g, x, y, z, at);
				render_place(anatomy, &still, at, place);
				eight_labels(anatomy, place, g->spacing_mm, labels);
				for (size_t i = 0; i < 8; i++)
					sum += values[labels[i]];
				out->voxels[voxel] = sum / 8;
			}
}

/* Vessels that run through a tumour are left out of it. */
static bool in_vessel(const struct anatomy *anatomy, const double place[3])
{
	const struct rs_geometry *map = &anatomy->grid;
	size_t cell[3];
	for (int axis = 0; axis < 3; axis++) {
		double at = (place[axis] - map->origin_mm[axis]) / map->spacing_mm[axis];
		cell[axis] = (size_t)draw_clamp(at + 0.5, 0, (double)map->size[axis] - 1);
	}
	uint8_t label = anatomy->labels[(cell[2] * map->size[1] + cell[1]) * map->size[0] + cell[0]];
	return label == ARTERY || label == VEIN;
}

/* Gives everything that hangs together with a voxel by faces the label `part`; returns how many voxels. `waiting` has room
 * for each voxel that is set. */
static size_t mark_part(struct rs_mask *mask, size_t voxel, uint32_t part, size_t *waiting)
{
	const size_t *size = mask->geometry.size;
	const size_t steps[3] = {1, size[0], size[0] * size[1]};
	size_t count = 0, left = 0;
	waiting[left++] = voxel;
	mask->labels[voxel] = part;
	while (left > 0) {
		size_t here = waiting[--left];
		const size_t at[3] = {here % size[0], here / size[0] % size[1], here / steps[2]};
		count++;
		for (int side = 0; side < 6; side++) {
			const int axis = side / 2;
			if (side % 2 ? at[axis] + 1 == size[axis] : at[axis] == 0)
				continue;
			size_t there = side % 2 ? here + steps[axis] : here - steps[axis];
			if (mask->labels[there] != 1)
				continue;
			mask->labels[there] = part;
			waiting[left++] = there;
		}
	}
	return count;
}

static enum rs_code keep_largest(struct rs_mask *mask, struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&mask->geometry);
	size_t set = 0, most = 0;
	uint32_t largest = 0, part = 2;
	for (size_t i = 0; i < voxels; i++)
		set += mask->labels[i] != 0;
	size_t *waiting RS_CLEANUP(rs_free_pointer) = rs_allocate_array(set, sizeof *waiting);
	if (!waiting)
		return rs_error_memory(err, set * sizeof *waiting, "the parts of a mask");
	for (size_t i = 0; i < voxels; i++) {
		if (mask->labels[i] != 1)
			continue;
		size_t count = mark_part(mask, i, part, waiting);
		largest = count > most ? part : largest;
		most = count > most ? count : most;
		part++;
	}
	for (size_t i = 0; i < voxels; i++)
		mask->labels[i] = largest != 0 && mask->labels[i] == largest;
	return RS_OK;
}

enum rs_code render_mask(const struct anatomy *anatomy, const struct waves *reader, double outside_mm,
                         double straying_mm, struct rs_mask *out, struct rs_error *err)
{
	static const struct movement still;
	const struct rs_geometry *g = &out->geometry;
	const struct tumour *tumour = &anatomy->tumour;
	size_t voxel = 0;
	for (size_t z = 0; z < g->size[2]; z++)
		for (size_t y = 0; y < g->size[1]; y++)
			for (size_t x = 0; x < g->size[0]; x++, voxel++) {
				double at[3], place[3], far = 0;
				voxel_at(g, x, y, z, at);
				for (int i = 0; i < 3; i++)
					far = fmax(far, fabs(at[i] - tumour->centre[i]));
				if (far > 2.2 * tumour->radius[0] + 12) /* bends move by less */
					continue;
				render_place(anatomy, &still, at, place);
				double seen = outside_mm + (reader ? straying_mm * waves_at(reader, at) : 0);
				out->labels[voxel] = tumour_outside(tumour, place) <= seen &&
				                     !in_vessel(anatomy, place);
			}
	return reader ? keep_largest(out, err) : RS_OK;
}
