/* Labels chosen by name or number. */
#include "choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* "1 'GTV', 2 'Lung'", as many as fit. */
static void list_names(const struct rs_label *names, size_t count, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char one[96];
		int length = snprintf(one, sizeof one, "%s%" PRIu32 " '%s'", i ? ", " : "", names[i].value,
		                      names[i].name);
		if (length < 0 || (size_t)length >= sizeof one || used + (size_t)length + 8 > size) {
			snprintf(out + used, size - used, ", ...");
			return;
		}
		memcpy(out + used, one, (size_t)length + 1);
		used += (size_t)length;
	}
}

static enum rs_code not_there(const char *text, const struct rs_label *names, size_t count,
                              struct rs_error *err)
{
	char list[256];
	list_names(names, count, list, sizeof list);
	if (count == 0)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "there is no label '%s': the mask names none; choose one by its number",
		                    text);
	return rs_error_set(err, RS_NOT_FOUND, "there is no label '%s'; there are %s", text, list);
}

static enum rs_code find_label(const char *text, const struct rs_label *names, size_t count, bool complete,
                               uint32_t *out, struct rs_error *err)
{
	uint64_t number;
	size_t found = 0;
	uint32_t value = 0;
	/* Names are kept to the size of their field: so is what they are compared with. */
	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i].name, text, sizeof names[i].name - 1) == 0) {
			value = names[i].value;
			found++;
		}
	if (found > 1)
		return rs_error_set(
			err, RS_REFUSED,
			"%zu labels have the name '%s'; choose one by its number (the last is %" PRIu32 ")",
			found, text, value);
	if (found == 0) {
		if (!rs_parse_u64(rs_str_from(text), &number) || number == 0 || number > UINT32_MAX)
			return not_there(text, names, count, err);
		value = (uint32_t)number;
		bool there = !complete;
		for (size_t i = 0; i < count && !there; i++)
			there = names[i].value == value;
		if (!there)
			return not_there(text, names, count, err);
	}
	*out = value;
	return RS_OK;
}

enum rs_code chosen_init(struct chosen *out, const struct rs_label_choice *choice,
                         const struct rs_label *names, size_t name_count, bool complete, struct rs_error *err)
{
	if (choice == NULL || choice->count == 0) {
		*out = (struct chosen){.all = true};
		return RS_OK;
	}
	struct chosen chosen RS_CLEANUP(chosen_finish) = {.count = choice->count};
	chosen.values = rs_allocate_array(choice->count, sizeof *chosen.values);
	if (!chosen.values)
		return rs_error_memory(err, choice->count * sizeof *chosen.values, "labels");
	for (size_t i = 0; i < choice->count; i++)
		RS_TRY(find_label(choice->texts[i], names, name_count, complete, &chosen.values[i], err));
	qsort(chosen.values, chosen.count, sizeof *chosen.values, ascending);
	*out = chosen;
	chosen.values = NULL;
	return RS_OK;
}

void chosen_finish(struct chosen *chosen)
{
	if (!chosen)
		return;
	rs_free(chosen->values);
	chosen->values = NULL;
}

bool chosen_has(const struct chosen *chosen, uint32_t label)
{
	return chosen->all || (label != 0 && bsearch(&label, chosen->values, chosen->count,
	                                             sizeof *chosen->values, ascending) != NULL);
}

void chosen_apply(const struct chosen *chosen, struct rs_mask *mask)
{
	const size_t count = rs_geometry_voxels(&mask->geometry);
	size_t kept = 0;
	uint32_t last = 0; /* neighbours mostly have the same label */
	bool last_chosen = false;
	if (chosen->all)
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t label = mask->labels[i];
		if (label == 0)
			continue;
		if (label != last) {
			last = label;
			last_chosen = chosen_has(chosen, label);
		}
		if (!last_chosen)
			mask->labels[i] = 0;
	}
	for (size_t i = 0; i < mask->name_count; i++)
		if (chosen_has(chosen, mask->names[i].value))
			mask->names[kept++] = mask->names[i];
	mask->name_count = kept;
}
