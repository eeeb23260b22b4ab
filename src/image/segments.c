/* Segments of 3D Slicer as labels. */
#include "segments.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"

enum rs_code segments_take(struct segments *segments, struct rs_str key, struct rs_str value,
                           struct rs_error *err)
{
	uint64_t number, label;
	struct rs_str rest = {key.data + 7, key.size - 7}, digits;
	if (!rs_str_starts_with(key, "Segment") || !rs_str_split(&rest, '_', &digits) ||
	    !rs_parse_u64(digits, &number) || number >= SEGMENTS_MAX)
		return RS_OK;
	if (!segments->rows) {
		segments->rows = rs_allocate_array(SEGMENTS_MAX, sizeof *segments->rows);
		if (!segments->rows)
			return rs_error_memory(err, SEGMENTS_MAX * sizeof *segments->rows, "segments");
	}
	if (number >= segments->count)
		segments->count = (size_t)number + 1;
	struct segment *row = &segments->rows[number];
	bool known = true;
	if (rs_str_equal_text(rest, "Name")) {
		size_t size = value.size < sizeof row->label.name - 1 ? value.size
		                                                      : sizeof row->label.name - 1;
		memcpy(row->label.name, value.data, size);
		row->label.name[size] = '\0';
	} else if (rs_str_equal_text(rest, "LabelValue")) {
		known = rs_parse_u64(value, &label) && label <= UINT32_MAX;
		row->label.value = known ? (uint32_t)label : 0;
	} else if (rs_str_equal_text(rest, "Layer")) {
		known = rs_parse_u64(value, &row->layer);
	}
	return known ? RS_OK
	             : rs_error_set(err, RS_MALFORMED,
	                            "key '" RS_STR_FORMAT "': '" RS_STR_FORMAT "' is not a value for it",
	                            RS_STR_ARGUMENTS(key), RS_STR_ARGUMENTS(value));
}

enum rs_code segments_keep(const struct segments *segments, struct raw_image *out, struct rs_error *err)
{
	size_t kept = 0, layers = out->channels;
	uint64_t only = 0;
	if (segments->count == 0)
		return RS_OK;
	out->names = rs_allocate_array(segments->count, sizeof *out->names);
	out->sources = layers > 1 ? rs_allocate_array(segments->count, sizeof *out->sources) : NULL;
	if (!out->names || (layers > 1 && !out->sources))
		return rs_error_memory(err, segments->count * sizeof *out->names, "names of segments");
	for (size_t i = 0; i < segments->count; i++) {
		const struct segment *row = &segments->rows[i];
		if (row->label.value == 0)
			continue;
		if (kept == 0)
			only = row->layer; /* of several, one may have been cut out with its header */
		if (layers > 1 ? row->layer >= layers : row->layer != only)
			return rs_error_set(err, RS_MALFORMED,
			                    "segment '%s' is in layer %" PRIu64 ", which is not in the file",
			                    row->label.name, row->layer);
		out->names[kept] = row->label;
		if (layers > 1) {
			out->names[kept].value = (uint32_t)kept + 1;
			out->sources[kept] = (struct label_source){row->layer, row->label.value};
		}
		kept++;
	}
	out->name_count = layers > 1 ? kept : sort_names(out->names, kept);
	return RS_OK;
}

/* A segment by its layer and the label it has there. */
struct place {
	struct label_source source;
	uint32_t label; /* of the mask; 0 when it was not chosen */
};

static int by_source(const void *a, const void *b)
{
	const struct label_source *x = &((const struct place *)a)->source,
				  *y = &((const struct place *)b)->source;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

static enum rs_code make_places(const struct raw_image *raw, const struct chosen *chosen, struct place **out,
                                struct rs_error *err)
{
	struct place *places RS_CLEANUP(rs_free_pointer) = rs_allocate_array(raw->name_count, sizeof *places);
	if (!places)
		return rs_error_memory(err, raw->name_count * sizeof *places, "segments");
	for (size_t i = 0; i < raw->name_count; i++) {
		uint32_t label = raw->names[i].value;
		places[i] = (struct place){raw->sources[i], chosen_has(chosen, label) ? label : 0};
	}
	qsort(places, raw->name_count, sizeof *places, by_source);
	for (size_t i = 1; i < raw->name_count; i++)
		if (by_source(&places[i - 1], &places[i]) == 0)
			return rs_error_set(err, RS_MALFORMED,
			                    "two segments have the label %" PRIu32 " in layer %" PRIu64,
			                    places[i].source.value, places[i].source.layer);
	*out = places;
	places = NULL;
	return RS_OK;
}

static enum rs_code take_label(const struct raw_image *raw, const struct place *places, uint64_t layer,
                               double value, uint32_t *voxel, struct rs_error *err)
{
	struct place key = {.source = {layer, 0}};
	bool whole = value > 0 && value <= UINT32_MAX;
	key.source.value = whole ? (uint32_t)value : 0;
	const struct place *found = bsearch(&key, places, raw->name_count, sizeof *places, by_source);
	if (!whole || !found)
		return rs_error_set(err, RS_MALFORMED,
		                    "layer %" PRIu64 " has the label %g, which no segment has", layer, value);
	if (found->label && *voxel && *voxel != found->label)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the segments %" PRIu32 " '%s' and %" PRIu32
		                    " '%s' overlap, and a voxel has one label; choose one of them as label",
		                    *voxel, raw->names[*voxel - 1].name, found->label,
		                    raw->names[found->label - 1].name);
	*voxel = found->label ? found->label : *voxel;
	return RS_OK;
}

static enum rs_code fill_labels(const struct raw_image *raw, const struct place *places, struct rs_mask *mask,
                                struct rs_error *err)
{
	size_t columns = raw->geometry.size[0], rows = raw->geometry.size[1] * raw->geometry.size[2];
	size_t values = columns * raw->channels; /* of one row; all rows were countable */
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(values, sizeof *row);
	if (!row)
		return rs_error_memory(err, values * sizeof *row, "a row");
	for (size_t i = 0; i < rows; i++) {
		raw_image_values(raw, i * values, values, row);
		for (size_t k = 0; k < values; k++)
			if (row[k] != 0)
				RS_TRY(take_label(raw, places, k % raw->channels, row[k],
				                  &mask->labels[i * columns + k / raw->channels], err));
	}
	return RS_OK;
}

enum rs_code segments_to_mask(const struct raw_image *raw, const struct rs_label_choice *choice,
                              struct rs_mask *out, struct rs_error *err)
{
	struct chosen chosen RS_CLEANUP(chosen_finish) = {0};
	struct place *places RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_mask mask;
	RS_TRY(chosen_init(&chosen, choice, raw->names, raw->name_count, true, err));
	RS_TRY(make_places(raw, &chosen, &places, err));
	RS_TRY(rs_mask_init(&mask, &raw->geometry, err));
	enum rs_code code = fill_labels(raw, places, &mask, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		return code;
	}
	*out = mask;
	return RS_OK;
}
