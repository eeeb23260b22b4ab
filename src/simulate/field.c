/* Random fields: lattices of normal numbers with smooth steps between them, and sums of cosines. */
#include "field.h"

#include "draw.h"

#define TWO_PI 6.283185307179586

enum rs_code field_init(struct field *field, const double half_mm[static 3], double step_mm,
                        struct rs_stream *stream, struct rs_error *err)
{
	struct field made = {.per_mm = 1 / step_mm};
	size_t count = 3;
	for (int axis = 0; axis < 3; axis++) {
		made.size[axis] = (size_t)ceil(2 * half_mm[axis] / step_mm) + 2;
		made.origin_mm[axis] = -half_mm[axis] - step_mm / 2;
		count *= made.size[axis]; /* the boxes are those of a body: some thousand points */
	}
	made.values = rs_allocate_array(count, sizeof *made.values);
	if (!made.values)
		return rs_error_memory(err, count * sizeof *made.values, "a random field");
	for (size_t i = 0; i < count; i++)
		made.values[i] = draw_normal(stream);
	*field = made;
	return RS_OK;
}

void field_finish(struct field *field) { rs_free(field->values); }

void field_at(const struct field *field, const double point_mm[static 3], double out[static 3])
{
	size_t cell[3];
	double weight[3][2];
	for (int axis = 0; axis < 3; axis++) {
		double at = (point_mm[axis] - field->origin_mm[axis]) * field->per_mm;
		at = draw_clamp(at, 0, (double)field->size[axis] - 1.001);
		cell[axis] = (size_t)at;
		double t = at - (double)cell[axis];
		weight[axis][1] = t * t * (3 - 2 * t);
		weight[axis][0] = 1 - weight[axis][1];
	}
	const size_t row = 3 * field->size[0], slice = row * field->size[1];
	const double *corner = field->values + cell[2] * slice + cell[1] * row + 3 * cell[0];
	out[0] = out[1] = out[2] = 0;
	for (size_t z = 0; z < 2; z++)
		for (size_t y = 0; y < 2; y++) {
			const double *p = corner + z * slice + y * row, w = weight[2][z] * weight[1][y];
			for (int i = 0; i < 3; i++)
				out[i] += w * (weight[0][0] * p[i] + weight[0][1] * p[3 + i]);
		}
}

void waves_init(struct waves *waves, double shortest_mm, double longest_mm, struct rs_stream *stream)
{
	for (size_t i = 0; i < WAVES; i++) {
		double length = shortest_mm * pow(longest_mm / shortest_mm, rs_stream_unit(stream));
		double height = draw_between(stream, -1, 1), turn = draw_between(stream, 0, TWO_PI);
		double flat = sqrt(1 - height * height), k = TWO_PI / length;
		waves->k[i][0] = k * flat * cos(turn);
		waves->k[i][1] = k * flat * sin(turn);
		waves->k[i][2] = k * height;
		waves->phase[i] = draw_between(stream, 0, TWO_PI);
	}
}

double waves_at(const struct waves *waves, const double point_mm[static 3])
{
	double sum = 0;
	for (size_t i = 0; i < WAVES; i++)
		sum += cos(waves->k[i][0] * point_mm[0] + waves->k[i][1] * point_mm[1] +
		           waves->k[i][2] * point_mm[2] + waves->phase[i]);
	return sum * sqrt(2.0 / WAVES);
}
