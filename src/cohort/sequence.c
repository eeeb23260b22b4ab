/* Reads an image and its mask, whose grids must be one unless the settings bring them together, and makes one label of a
 * choice. */
#include "cohort/sequence.h"

#include <stdio.h>
#include <string.h>

void sequence_finish(struct sequence *sequence)
{
	rs_volume_finish(&sequence->image);
	rs_mask_finish(&sequence->mask);
	rs_free(sequence->image_files.files);
	rs_free(sequence->mask_files.files);
	memset(sequence, 0, sizeof *sequence);
}

static void note(struct rs_buffer *notes, const char *text)
{
	if (text[0] != '\0')
		rs_buffer_printf(notes, "%s\n", text);
}

static enum rs_code match(const struct sequence *s, struct rs_mask *mask, struct rs_buffer *notes,
                          struct rs_error *err)
{
	char text[256] = "";
	enum rs_code code = rs_mask_match(&s->image.geometry, mask, s->tolerance_mm, text, sizeof text, err);
	if (code == RS_REFUSED && (s->carry || s->resample)) {
		note(notes, s->resample
		                    ? "image and mask are on different grids, and resampled onto the new one"
		                    : "the mask is resampled onto the image's grid");
		return RS_OK;
	}
	if (code == RS_OK)
		note(notes, text);
	return code;
}

/* A mask whose regions overlap has no label for each voxel: only its names are kept. */
static enum rs_code read_mask(struct sequence *s, const struct rs_world *world, struct rs_buffer *notes,
                              struct rs_error *err)
{
	struct rs_error ignored;
	const struct rs_label_choice all = {.has_channel = s->channel != RS_LABEL_CHANNEL_NONE,
	                                    .channel = s->channel};
	enum rs_code code = rs_mask_read_chosen(world, s->paths->mask, &s->image.geometry, &all, &s->mask,
	                                        err);
	if (code == RS_UNSUPPORTED &&
	    rs_mask_names(world, s->paths->mask, &s->mask.names, &s->mask.name_count, &ignored) == RS_OK &&
	    s->mask.name_count > 0)
		return RS_OK;
	RS_TRY(code);
	note(notes, s->mask.note);
	return match(s, &s->mask, notes, err);
}

static enum rs_code read_both(struct sequence *s, struct rs_buffer *notes, struct rs_error *err)
{
	struct witness witness RS_CLEANUP(witness_finish) = {.count = 0};
	witness_init(&witness, s->world);
	if (rs_volume_read(&witness.world, s->paths->image, &s->image, err) != RS_OK ||
	    witness_digest(&witness, &s->image_files, err) != RS_OK)
		return rs_error_context(err, "image");
	witness_clear(&witness);
	s->tolerance_mm *= s->image.geometry.spacing_mm[0];
	if (read_mask(s, &witness.world, notes, err) != RS_OK ||
	    witness_digest(&witness, &s->mask_files, err) != RS_OK)
		return rs_error_context(err, "mask");
	return RS_OK;
}

enum rs_code sequence_read(const struct rs_world *world, const struct rs_cohort_image *paths,
                           const struct rs_radiomics_settings *settings, struct rs_buffer *notes,
                           struct sequence *out, struct rs_error *err)
{
	struct sequence s = {
		.world = world,
		.paths = paths,
		.channel = settings->label_channel,
		.carry = settings->correct_mask,
		.resample = settings->resampled_count > 0,
		.tolerance_mm = settings->geometry_tolerance /* of the spacing, until it is known */};
	if (paths->mask == NULL)
		return rs_error_set(err, RS_MALFORMED, "no mask is named for the image");
	enum rs_code code = read_both(&s, notes, err);
	if (code == RS_OK)
		*out = s;
	else
		sequence_finish(&s);
	return code;
}

static const char *name_of(const struct rs_mask *mask, uint32_t value)
{
	for (size_t i = 0; i < mask->name_count; i++)
		if (mask->names[i].value == value)
			return mask->names[i].name;
	return "";
}

/* One of several regions that overlap. */
static enum rs_code read_alone(const struct sequence *s, uint32_t value, struct rs_buffer *notes,
                               struct rs_mask *out, struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	char number[16];
	const char *text = name_of(&s->mask, value);
	const struct rs_label_choice choice = {.texts = &text, .count = 1};
	snprintf(number, sizeof number, "%u", value);
	if (text[0] == '\0')
		text = number;
	RS_TRY(rs_mask_read_chosen(s->world, s->paths->mask, &s->image.geometry, &choice, &mask, err));
	note(notes, mask.note);
	RS_TRY(match(s, &mask, notes, err));
	*out = mask;
	mask = (struct rs_mask){.labels = NULL};
	return RS_OK;
}

static enum rs_code read_apart(const struct sequence *s, const uint32_t *values, size_t count,
                               struct rs_buffer *notes, struct rs_mask *own, struct rs_error *err)
{
	RS_TRY(read_alone(s, values[0], notes, own, err));
	for (size_t k = 1; k < count; k++) {
		struct rs_mask more RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		RS_TRY(read_alone(s, values[k], notes, &more, err));
		if (memcmp(more.geometry.size, own->geometry.size, sizeof own->geometry.size) != 0)
			return rs_error_set(err, RS_BUSY, "%s: it changed while it was read", s->paths->mask);
		for (size_t i = 0; i < rs_geometry_voxels(&own->geometry); i++)
			if (more.labels[i] == values[k])
				own->labels[i] = values[0];
	}
	return RS_OK;
}

enum rs_code sequence_region(const struct sequence *s, const struct label_choice *choice,
                             struct rs_buffer *notes, struct rs_mask *own, const struct rs_mask **out,
                             uint32_t *label, struct rs_error *err)
{
	const uint32_t *values = choice != NULL ? choice->values : label;
	size_t count = choice != NULL ? choice->count : 1;
	if (count == 0)
		return labels_missing(choice, &s->mask, err);
	*out = &s->mask;
	if (s->mask.labels == NULL) {
		RS_TRY(read_apart(s, values, count, notes, own, err));
		*out = own;
	} else if (count > 1) {
		RS_TRY(rs_mask_init(own, &s->mask.geometry, err));
		memcpy(own->labels, s->mask.labels, rs_geometry_voxels(&own->geometry) * sizeof *own->labels);
		labels_unite(choice, own);
		*out = own;
	}
	*label = values[0];
	return RS_OK;
}
