/* Selectors of labels: "2", "1,2", "1+2", "liver", "liver+tumour,3", "all". */
#include <stdio.h>
#include <string.h>

#include "cohort/labels.h"

void label_list_finish(struct label_list *list)
{
	rs_free(list->choices);
	rs_free(list->values);
	memset(list, 0, sizeof *list);
}

/* Place of a value in ascending values, or where it would stand. */
static size_t place_of(const uint32_t *values, size_t count, uint32_t value)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Puts a value into an ascending set; false when it is full. */
static bool add_value(uint32_t *values, size_t *count, size_t most, uint32_t value)
{
	size_t at = place_of(values, *count, value);
	if (at < *count && values[at] == value)
		return true;
	if (*count == most)
		return false;
	memmove(values + at + 1, values + at, (*count - at) * sizeof *values);
	values[at] = value;
	++*count;
	return true;
}

static bool collect(const struct rs_mask *mask, uint32_t *values, size_t *out_count)
{
	size_t voxels = mask->labels != NULL ? rs_geometry_voxels(&mask->geometry) : 0, count = 0;
	uint32_t last = 0;
	for (size_t i = 0; voxels == 0 && i < mask->name_count; i++)
		if (!add_value(values, &count, LABELS_MAX, mask->names[i].value))
			return false;
	for (size_t i = 0; i < voxels; i++) {
		if (mask->labels[i] == last || mask->labels[i] == 0)
			continue;
		last = mask->labels[i];
		if (!add_value(values, &count, LABELS_MAX, last))
			return false;
	}
	*out_count = count;
	return true;
}

static const struct rs_label *named(const struct rs_mask *mask, uint32_t value)
{
	for (size_t i = 0; i < mask->name_count; i++)
		if (mask->names[i].value == value)
			return &mask->names[i];
	return NULL;
}

static void take_name(const struct rs_mask *mask, struct label_choice *choice)
{
	const struct rs_label *label = choice->count == 1 ? named(mask, choice->values[0]) : NULL;
	if (label != NULL)
		snprintf(choice->name, sizeof choice->name, "%s", label->name);
}

static enum rs_code choose_all(const struct rs_mask *mask, struct label_list *out, struct rs_error *err)
{
	size_t count = 0;
	out->values = rs_allocate_array(LABELS_MAX, sizeof *out->values);
	if (out->values == NULL)
		return rs_error_memory(err, LABELS_MAX * sizeof *out->values, "labels");
	if (!collect(mask, out->values, &count))
		return rs_error_set(err, RS_TOO_LARGE,
		                    "the mask has more than %d labels; is it an image rather than a mask?",
		                    LABELS_MAX);
	if (count == 0)
		return rs_error_set(err, RS_NOT_FOUND, "the mask has no labels: every voxel is 0");
	out->choices = rs_allocate_array(count, sizeof *out->choices);
	if (out->choices == NULL)
		return rs_error_memory(err, count * sizeof *out->choices, "labels");
	for (size_t i = 0; i < count; i++) {
		out->choices[i].values = &out->values[i];
		out->choices[i].count = 1;
		take_name(mask, &out->choices[i]);
	}
	out->count = count;
	return RS_OK;
}

/* Adds the labels of one word: a number, or every label of that name. */
static bool look_up(const struct rs_mask *mask, struct rs_str word, uint32_t *values, size_t *count)
{
	uint64_t number;
	size_t before = *count;
	bool found = false;
	for (size_t i = 0; i < mask->name_count; i++)
		if (rs_str_equal_text(word, mask->names[i].name)) {
			found = true;
			add_value(values, count, before + mask->name_count + 1, mask->names[i].value);
		}
	if (!found && rs_parse_u64(word, &number) && number > 0 && number <= UINT32_MAX) {
		found = true;
		add_value(values, count, before + mask->name_count + 1, (uint32_t)number);
	}
	return found;
}

/* A name may itself hold a '+': the whole is tried first. */
static bool choose_one(const struct rs_mask *mask, struct rs_str text, uint32_t *values, size_t *count)
{
	struct rs_str rest = text, word;
	if (look_up(mask, text, values, count))
		return true;
	while (rs_str_split(&rest, '+', &word))
		if (!look_up(mask, rs_str_trim(word), values, count)) {
			*count = 0;
			return false;
		}
	return *count > 0;
}

static size_t count_of(struct rs_str text, char separator)
{
	size_t count = 1;
	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == separator;
	return count;
}

static enum rs_code choose_words(struct rs_str selector, const struct rs_mask *mask, struct label_list *out,
                                 struct rs_error *err)
{
	size_t most = count_of(selector, ','), words = most + count_of(selector, '+');
	size_t room = 0, used = 0;
	struct rs_str rest = selector, text;
	if (!rs_mul_size(words, mask->name_count + 1, &room))
		room = SIZE_MAX;
	out->choices = rs_allocate_array(most, sizeof *out->choices);
	out->values = rs_allocate_array(room, sizeof *out->values);
	if (out->choices == NULL || out->values == NULL)
		return rs_error_memory(err, most * sizeof *out->choices, "labels");
	while (rs_str_split(&rest, ',', &text)) {
		struct label_choice *choice = &out->choices[out->count++];
		choice->text = rs_str_trim(text);
		choice->values = out->values + used;
		if (choice->text.size == 0)
			return rs_error_set(err, RS_USAGE,
			                    "label '" RS_STR_FORMAT "': between commas a label is missing",
			                    RS_STR_ARGUMENTS(selector));
		choose_one(mask, choice->text, out->values + used, &choice->count);
		take_name(mask, choice);
		used += choice->count;
	}
	return RS_OK;
}

enum rs_code labels_choose(const char *selector, const struct rs_mask *mask, struct label_list *out,
                           struct rs_error *err)
{
	struct label_list list RS_CLEANUP(label_list_finish) = {0};
	struct rs_str text = rs_str_trim(rs_str_from(selector));
	if (rs_str_equal_text(text, "all"))
		RS_TRY(choose_all(mask, &list, err));
	else
		RS_TRY(choose_words(text, mask, &list, err));
	*out = list;
	memset(&list, 0, sizeof list);
	return RS_OK;
}

void label_text(const struct label_choice *choice, char *out, size_t size)
{
	size_t used = 0;
	snprintf(out, size, RS_STR_FORMAT, RS_STR_ARGUMENTS(choice->text));
	for (size_t i = 0; i < choice->count && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%u", i > 0 ? "+" : "", choice->values[i]);
		used += n > 0 ? (size_t)n : 0;
	}
}

void labels_unite(const struct label_choice *choice, struct rs_mask *mask)
{
	size_t voxels = rs_geometry_voxels(&mask->geometry);
	for (size_t i = 0; i < voxels; i++) {
		size_t at = place_of(choice->values, choice->count, mask->labels[i]);
		bool inside = at < choice->count && choice->values[at] == mask->labels[i];
		mask->labels[i] = inside ? choice->values[0] : 0;
	}
}

enum rs_code labels_missing(const struct label_choice *choice, const struct rs_mask *mask,
                            struct rs_error *err)
{
	char there[256];
	rs_mask_labels_text(mask, there, sizeof there);
	return rs_error_set(err, RS_NOT_FOUND, "the mask has no label '" RS_STR_FORMAT "'; it has %s",
	                    RS_STR_ARGUMENTS(choice->text), there);
}
