/* Steps and models of a study: names with options, of which lists stand for candidates. */
#include <stdio.h>
#include <string.h>

#include "recipe/recipe_step.h"
#include "plan_file.h"

/* Options of one step or model while its alternatives are counted out. */
struct listing {
	const char *name;
	const struct rs_setting *settings;
	size_t options_size, count;
	struct rs_alternative *items;
};

static enum rs_code take(struct rs_study_reading *r, size_t count, size_t size, void *out)
{
	void *block = rs_arena_allocate_array(&r->study->arena, count ? count : 1, size ? size : 1);
	if (!block)
		return rs_error_memory(r->err, count * size, "a study");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

static enum rs_code begin(struct rs_study_reading *r, struct listing *listing)
{
	void *options = NULL;
	RS_TRY(take(r, 1, listing->options_size, &options));
	rs_settings_usual(listing->settings, options);
	RS_TRY(take(r, 1, sizeof *listing->items, &listing->items));
	listing->items[0] = (struct rs_alternative){options, ""};
	listing->count = 1;
	return RS_OK;
}

static enum rs_code read_word(struct rs_study_reading *r, const yaml_node_t *node,
                              const struct rs_setting *setting, double *out)
{
	struct rs_known_names known = {0};
	const char *text;
	RS_TRY(rs_study_read_text(r, node, &text));
	for (size_t w = 0; setting->words[w]; w++) {
		if (strcmp(setting->words[w], text) == 0) {
			*out = (double)w;
			return RS_OK;
		}
		rs_known_add(&known, setting->words[w]);
	}
	return rs_known_refuse(&known, r, node, text);
}

static enum rs_code read_one(struct rs_study_reading *r, const yaml_node_t *node,
                             const struct rs_setting *setting, void *options)
{
	double value = 0;
	if (setting->kind == RS_SETTING_TEXT)
		return rs_study_read_text(r, node, (const char **)((char *)options + setting->offset));
	if (setting->kind == RS_SETTING_WORD)
		RS_TRY(read_word(r, node, setting, &value));
	else
		RS_TRY(rs_study_read_number(r, node, setting->name, setting->kind == RS_SETTING_COUNT,
		                            setting->minimum, setting->maximum, &value));
	rs_setting_put(setting, value, options);
	return RS_OK;
}

/* keep=20, forest.trees=100: the only setting needs no name. */
static enum rs_code label(struct rs_study_reading *r, const struct listing *listing,
                          const struct rs_setting *setting, const yaml_node_t *node, const char *before,
                          const char **out)
{
	char text[RS_LABEL_SIZE];
	bool only = !listing->settings[1].name;
	snprintf(text, sizeof text, "%s%s%s%s%s=%s", before, *before ? " " : "", listing->name,
	         only ? "" : ".", only ? "" : setting->name, (const char *)node->data.scalar.value);
	char *copy = NULL;
	RS_TRY(take(r, strlen(text) + 1, 1, &copy));
	memcpy(copy, text, strlen(text) + 1);
	*out = copy;
	return RS_OK;
}

/* One more alternative: `from` with this setting changed. */
static enum rs_code vary(struct rs_study_reading *r, const struct listing *listing,
                         const struct rs_setting *setting, const yaml_node_t *node, bool labelled,
                         const struct rs_alternative *from, struct rs_alternative *out)
{
	void *options = NULL;
	RS_TRY(take(r, 1, listing->options_size, &options));
	memcpy(options, from->options, listing->options_size);
	RS_TRY(read_one(r, node, setting, options));
	*out = (struct rs_alternative){options, from->label};
	return labelled ? label(r, listing, setting, node, from->label, &out->label) : RS_OK;
}

static enum rs_code read_setting_values(struct rs_study_reading *r, struct listing *listing,
                                        const struct rs_setting *setting, yaml_node_t *node)
{
	bool list = node->type == YAML_SEQUENCE_NODE;
	size_t values = list ? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) : 1;
	struct rs_alternative *items = NULL;
	size_t count;
	if (values == 0 || !rs_mul_size(values, listing->count, &count) || count > RS_CANDIDATES_MAX)
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: %s: 1 to %d values in all",
		                    rs_study_line_of(node), setting->name, RS_CANDIDATES_MAX);
	RS_TRY(take(r, count, sizeof *items, &items));
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *value = list ? yaml_document_get_node(
							  r->document,
							  node->data.sequence.items.start[i % values])
		                                : node;
		RS_TRY(vary(r, listing, setting, value, values > 1, &listing->items[i / values], &items[i]));
	}
	listing->items = items;
	listing->count = count;
	return RS_OK;
}

static enum rs_code read_setting(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                                 const void *context)
{
	struct listing *const *listing = context;
	struct rs_known_names known = {0};
	for (const struct rs_setting *s = (*listing)->settings; s->name; s++) {
		if (strcmp(s->name, name) == 0)
			return read_setting_values(r, *listing, s, value);
		rs_known_add(&known, s->name);
	}
	if (!known.used)
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: %s has no options",
		                    rs_study_line_of(value), (*listing)->name);
	return rs_known_refuse(&known, r, value, name);
}

/* Nothing, a value or list of the first setting, or names with values. */
static enum rs_code read_settings(struct rs_study_reading *r, yaml_node_t *node, struct listing *listing)
{
	RS_TRY(begin(r, listing));
	if (!node || (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0))
		return RS_OK;
	if (node->type == YAML_MAPPING_NODE)
		return rs_study_each_pair(r, node, read_setting, &listing);
	if (!listing->settings->name)
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: %s has no options",
		                    rs_study_line_of(node), listing->name);
	return read_setting_values(r, listing, listing->settings, node);
}

/* "a", "a: options", a list of these, or names with options. */
typedef enum rs_code read_item(struct rs_study_reading *r, const char *name, yaml_node_t *at,
                               yaml_node_t *options);

static enum rs_code read_named(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                               const void *context)
{
	read_item *const *read = context;
	return (*read)(r, name, value, value);
}

static enum rs_code read_items(struct rs_study_reading *r, yaml_node_t *node, read_item *read)
{
	const char *name;
	if (node->type == YAML_MAPPING_NODE)
		return rs_study_each_pair(r, node, read_named, &read);
	if (node->type == YAML_SCALAR_NODE) {
		RS_TRY(rs_study_read_text(r, node, &name));
		return read(r, name, node, NULL);
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		yaml_node_t *item = yaml_document_get_node(r->document, *i);
		if (item->type == YAML_SEQUENCE_NODE)
			return rs_error_set(r->err, RS_MALFORMED,
			                    "line %lu: a name is expected, or one with options",
			                    rs_study_line_of(item));
		RS_TRY(read_items(r, item, read));
	}
	return RS_OK;
}

static enum rs_code read_step(struct rs_study_reading *r, const char *name, yaml_node_t *at,
                              yaml_node_t *options)
{
	struct rs_plan *plan = &r->study->plan;
	struct rs_known_names known = {0};
	const struct rs_step *step = rs_step_find(name);
	for (size_t s = 0; !step && rs_step_table[s]; s++)
		rs_known_add(&known, rs_step_table[s]->name);
	if (!step)
		return rs_known_refuse(&known, r, at, name);
	if (plan->stage_count == RS_STAGES_MAX - 1)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d steps",
		                    rs_study_line_of(at), RS_STAGES_MAX - 1);
	struct listing listing = {step->name, step->settings, step->options_size, 0, NULL};
	RS_TRY(read_settings(r, options, &listing));
	plan->stages[plan->stage_count++] = (struct rs_stage){step, listing.count, listing.items};
	return RS_OK;
}

static enum rs_code read_model(struct rs_study_reading *r, const char *name, yaml_node_t *at,
                               yaml_node_t *options)
{
	struct rs_plan *plan = &r->study->plan;
	struct rs_known_names known = {0};
	const struct rs_learner *learner = rs_learner_find(name);
	for (size_t l = 0; !learner && rs_learner_table[l]; l++)
		rs_known_add(&known, rs_learner_table[l]->name);
	if (!learner)
		return rs_known_refuse(&known, r, at, name);
	struct listing listing = {learner->name, learner->settings, learner->options_size, 0, NULL};
	RS_TRY(read_settings(r, options, &listing));
	if (!plan->models)
		RS_TRY(take(r, RS_MODELS_MAX, sizeof *plan->models, &plan->models));
	if (listing.count > RS_MODELS_MAX - plan->model_count)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d models",
		                    rs_study_line_of(at), RS_MODELS_MAX);
	for (size_t i = 0; i < listing.count; i++) {
		struct rs_alternative *with = &listing.items[i];
		plan->models[plan->model_count++] = (struct rs_model_choice){
			learner, {with->options, *with->label ? with->label : learner->name}};
	}
	return RS_OK;
}

enum rs_code study_read_steps(struct rs_study_reading *r, yaml_node_t *node)
{
	return read_items(r, node, read_step);
}

enum rs_code study_read_models(struct rs_study_reading *r, yaml_node_t *node)
{
	return read_items(r, node, read_model);
}

enum rs_code study_complete_plan(struct rs_study_reading *r)
{
	static const struct rs_step *const usual[] = {&rs_step_near_zero, &rs_step_correlation};
	struct rs_plan *plan = &r->study->plan;
	struct yaml_node_s nowhere = {0};
	bool filled = false, named = plan->stage_count > 0;
	for (size_t s = 0; s < plan->stage_count; s++)
		filled |= plan->stages[s].step->fills_gaps || plan->stages[s].step->leaves_gaps;
	if (!filled) {
		RS_TRY(read_step(r, rs_step_impute.name, &nowhere, NULL));
		struct rs_stage impute = plan->stages[plan->stage_count - 1];
		memmove(plan->stages + 1, plan->stages, (plan->stage_count - 1) * sizeof *plan->stages);
		plan->stages[0] = impute;
	}
	for (size_t s = 0; !named && s < RS_COUNT(usual); s++)
		RS_TRY(read_step(r, usual[s]->name, &nowhere, NULL));
	return plan->model_count ? RS_OK : read_model(r, rs_learner_forest.name, &nowhere, NULL);
}

enum rs_code study_check_plan(const struct rs_study *study, struct rs_error *err)
{
	const struct rs_plan *plan = &study->plan;
	bool balanced = strcmp(study->weights, "balanced") == 0;
	bool filled = false;
	size_t count;
	for (size_t s = 0; s < plan->stage_count; s++) {
		const struct rs_step *step = plan->stages[s].step;
		if (!filled && !step->takes_gaps && !step->fills_gaps)
			return rs_error_set(err, RS_MALFORMED,
			                    "steps: %s comes after impute: it needs every value", step->name);
		if (step->asks_centre && !study->centre)
			return rs_error_set(err, RS_MALFORMED,
			                    "steps: %s needs the column of centres, \"centre: NAME\"",
			                    step->name);
		if (step->asks_repeats && !study->repeated)
			return rs_error_set(err, RS_MALFORMED,
			                    "steps: %s needs a table of repeated measurements, \"repeated: "
			                    "{table: FILE}\"",
			                    step->name);
		filled |= step->fills_gaps;
	}
	for (size_t m = 0; m < plan->model_count; m++) {
		const struct rs_learner *learner = plan->models[m].learner;
		if (!(learner->targets & study->target))
			return rs_error_set(err, RS_MALFORMED, "model: %s cannot learn %s", learner->name,
			                    study->target == RS_TARGET_SURVIVAL ? "survival"
			                    : study->target == RS_TARGET_BINARY ? "a class"
			                                                        : "several classes");
		if (!filled && !learner->takes_gaps)
			return rs_error_set(err, RS_MALFORMED,
			                    "model: %s needs every value; leave out steps: gaps",
			                    learner->name);
		if (balanced && !learner->weighs)
			return rs_error_set(err, RS_MALFORMED,
			                    "model: %s does not heed weights; leave out weights: balanced",
			                    learner->name);
	}
	if (balanced && study->time)
		return rs_error_set(err, RS_MALFORMED, "weights: balanced is for classes, not for survival");
	if (!rs_plan_count(plan, &count))
		return rs_error_set(err, RS_TOO_LARGE, "steps and models make more than %d candidates",
		                    RS_CANDIDATES_MAX);
	return RS_OK;
}
