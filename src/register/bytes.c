/* The one byte string of a transform. */
#include <math.h>
#include <string.h>

#include "register/space.h"

#define SIDE_MAX 4099 /* control points along an axis: what rs_lattice_init() takes */

static void write_numbers(struct rs_buffer *out, const char *key, const double *numbers, size_t count)
{
	if (key)
		rs_cbor_write_str(out, rs_str_from(key));
	rs_cbor_write_array(out, count);
	for (size_t i = 0; i < count; i++)
		rs_cbor_write_f64(out, numbers[i] + 0.0); /* no -0 */
}

static void write_lattice(struct rs_buffer *out, const struct rs_transform *t)
{
	rs_cbor_write_map(out, 5);
	rs_cbor_write_str(out, RS_STR("size"));
	rs_cbor_write_array(out, 3);
	for (int a = 0; a < 3; a++)
		rs_cbor_write_u64(out, t->lattice.size[a]);
	write_numbers(out, "direction", &t->lattice.direction[0][0], 9);
	write_numbers(out, "origin_mm", t->lattice.origin_mm, 3);
	write_numbers(out, "control_mm", t->control_mm, 3 * rs_geometry_voxels(&t->lattice));
	write_numbers(out, "spacing_mm", t->lattice.spacing_mm, 3);
}

enum rs_code rs_transform_write(const struct rs_transform *t, struct rs_buffer *out, struct rs_error *err)
{
	rs_cbor_write_map(out, 4);
	rs_cbor_write_str(out, RS_STR("kind"));
	rs_cbor_write_str(out, rs_str_from(rs_transform_kind_name(t->kind)));
	write_numbers(out, "matrix", &t->matrix[0][0], 9);
	rs_cbor_write_str(out, RS_STR("lattice"));
	if (t->control_mm)
		write_lattice(out, t);
	else
		rs_cbor_write_null(out);
	write_numbers(out, "offset_mm", t->offset_mm, 3);
	return rs_buffer_check(out, "a transform", err);
}

static enum rs_code read_key(struct rs_cbor_reader *reader, const char *key, struct rs_error *err)
{
	struct rs_str found;
	RS_TRY(rs_cbor_read_str(reader, key, &found, err));
	if (!rs_str_equal_text(found, key))
		return rs_error_set(err, RS_MALFORMED,
		                    "a transform has '%s' at offset %zu, not '" RS_STR_FORMAT "'", key,
		                    reader->position, RS_STR_ARGUMENTS(found));
	return RS_OK;
}

static enum rs_code read_head(struct rs_cbor_reader *reader, const char *key, size_t count,
                              struct rs_error *err)
{
	size_t found;
	RS_TRY(read_key(reader, key, err));
	RS_TRY(rs_cbor_read_array(reader, key, &found, err));
	if (found != count)
		return rs_error_set(err, RS_MALFORMED, "a transform's %s are %zu numbers, here are %zu", key,
		                    count, found);
	return RS_OK;
}

static enum rs_code read_numbers(struct rs_cbor_reader *reader, const char *key, double *out, size_t count,
                                 struct rs_error *err)
{
	RS_TRY(read_head(reader, key, count, err));
	for (size_t i = 0; i < count; i++) {
		RS_TRY(rs_cbor_read_f64(reader, key, &out[i], err));
		if (!isfinite(out[i]) || (out[i] == 0 && signbit(out[i])))
			return rs_error_set(err, RS_MALFORMED, "number %zu of a transform's %s is %g", i, key,
			                    out[i]);
	}
	return RS_OK;
}

static enum rs_code read_lattice(struct rs_cbor_reader *reader, struct rs_transform *t, struct rs_error *err)
{
	size_t keys, count = 3;
	struct space space;
	RS_TRY(rs_cbor_read_map(reader, "lattice", &keys, err));
	if (keys != 5)
		return rs_error_set(err, RS_MALFORMED, "a transform's lattice has 5 keys, here are %zu",
		                    keys);
	RS_TRY(read_head(reader, "size", 3, err));
	for (int a = 0; a < 3; a++) {
		uint64_t side;
		RS_TRY(rs_cbor_read_u64(reader, "size", &side, err));
		if (side < REACH || side > SIDE_MAX)
			return rs_error_set(
				err, RS_MALFORMED,
				"a transform's lattice has %d to %d control points along an axis, not "
				"%llu",
				REACH, SIDE_MAX, (unsigned long long)side);
		t->lattice.size[a] = (size_t)side;
		count *= (size_t)side; /* below 2^39 */
	}
	/* A number takes three bytes or more: no more memory is taken than the input answers for. */
	if (count > reader->input.size / 3)
		return rs_error_set(err, RS_MALFORMED,
		                    "a transform's lattice of %zu numbers does not fit in %zu bytes", count,
		                    reader->input.size);
	RS_TRY(read_numbers(reader, "direction", &t->lattice.direction[0][0], 9, err));
	RS_TRY(read_numbers(reader, "origin_mm", t->lattice.origin_mm, 3, err));
	t->control_mm = rs_allocate_array(count, sizeof *t->control_mm);
	if (!t->control_mm)
		return rs_error_memory(err, count * sizeof *t->control_mm, "a transform");
	RS_TRY(read_numbers(reader, "control_mm", t->control_mm, count, err));
	RS_TRY(read_numbers(reader, "spacing_mm", t->lattice.spacing_mm, 3, err));
	if (space_of(&t->lattice, &space, err) != RS_OK)
		return rs_error_set(err, RS_MALFORMED, "the axes of a transform's lattice span no space");
	return RS_OK;
}

static enum rs_code read_all(struct rs_cbor_reader *reader, struct rs_transform *t, struct rs_error *err)
{
	size_t keys;
	struct rs_str name;
	char kind[16] = "";
	enum rs_cbor_kind next;
	RS_TRY(rs_cbor_read_map(reader, "transform", &keys, err));
	if (keys != 4)
		return rs_error_set(err, RS_MALFORMED, "a transform has 4 keys, here are %zu", keys);
	RS_TRY(read_key(reader, "kind", err));
	RS_TRY(rs_cbor_read_str(reader, "kind", &name, err));
	if (name.size < sizeof kind)
		memcpy(kind, name.data, name.size);
	if (rs_transform_kind_of(kind, &t->kind, err) != RS_OK)
		return rs_error_set(err, RS_MALFORMED,
		                    "a transform is rigid, affine or bspline, not '" RS_STR_FORMAT "'",
		                    RS_STR_ARGUMENTS(name));
	RS_TRY(read_numbers(reader, "matrix", &t->matrix[0][0], 9, err));
	RS_TRY(read_key(reader, "lattice", err));
	RS_TRY(rs_cbor_peek(reader, &next, err));
	if ((next == RS_CBOR_NULL) == (t->kind == RS_TRANSFORM_BSPLINE))
		return rs_error_set(err, RS_MALFORMED,
		                    "a transform has a lattice when it is a bspline, and only then");
	if (next == RS_CBOR_NULL)
		RS_TRY(rs_cbor_read_null(reader, "lattice", err));
	else
		RS_TRY(read_lattice(reader, t, err));
	return read_numbers(reader, "offset_mm", t->offset_mm, 3, err);
}

enum rs_code rs_transform_read(struct rs_bytes bytes, struct rs_transform *out, struct rs_error *err)
{
	struct rs_transform t RS_CLEANUP(rs_transform_finish) = {0};
	struct rs_cbor_reader reader;
	if (bytes.size > RS_TRANSFORM_BYTES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a transform of %zu bytes; %zu are read", bytes.size,
		                    RS_TRANSFORM_BYTES_MAX);
	RS_TRY(rs_cbor_reader_init(&reader, bytes, err));
	RS_TRY(read_all(&reader, &t, err));
	*out = t;
	t.control_mm = NULL;
	return RS_OK;
}
