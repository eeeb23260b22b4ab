/* PyRadiomics' parameter files: YAML (of which JSON is a part) with the keys setting, imageType,
 * featureClass and voxelSetting, and radseal's own ibsi. Every key is either obeyed or refused, never passed over. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "radiomics/ibsi.h"
#include "radiomics/settings_table.h"

#define FILE_MAX (1U << 20)

static bool is_none(const char *value)
{
	static const char *const words[] = {"None", "none", "null", "Null", "NULL", "~", "", "[]"};
	for (size_t i = 0; i < RS_COUNT(words); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

static enum rs_code unknown(const char *name, struct rs_error *err)
{
	for (size_t i = 0; i < setting_row_count; i++)
		if (rs_str_equal_ignoring_case(rs_str_from(setting_rows[i].name), rs_str_from(name)))
			return rs_error_set(err, RS_MALFORMED, "setting '%s' is unknown; did you mean '%s'?",
			                    name, setting_rows[i].name);
	return rs_error_set(err, RS_MALFORMED,
	                    "setting '%s' is unknown; see PyRadiomics' list of settings, or remove it", name);
}

/* Into base, a copy of which is changed first so that a refused value changes nothing. */
static enum rs_code assign(const struct setting_row *row, void *base, const char *value, struct rs_error *err)
{
	bool off = is_none(value);
	if (row->kind == SETTING_IGNORED)
		return RS_OK;
	if (off ? row->none == NULL || !setting_assign(row, base, row->none)
	        : !setting_assign(row, base, value))
		return rs_error_set(err, RS_MALFORMED, "setting '%s' cannot be '%s'", row->name, value);
	return RS_OK;
}

enum rs_code rs_radiomics_settings_set(struct rs_radiomics_settings *settings, const char *name,
                                       const char *value, struct rs_error *err)
{
	const struct setting_row *row = setting_find(rs_str_from(name));
	struct rs_radiomics_settings changed = *settings;
	if (strncmp(name, "ibsi.", 5) == 0)
		return ibsi_settings_set(&settings->ibsi, name + 5, value, err);
	if (row == NULL)
		return unknown(name, err);
	RS_TRY(assign(row, row->scope == OF_IMAGE ? (void *)&changed.common : (void *)&changed, value, err));
	changed.binning_chosen |= rs_str_starts_with(rs_str_from(name), "bin");
	*settings = changed;
	return RS_OK;
}

/* What a parameter file is walked with. */
struct reading {
	yaml_document_t *document;
	struct rs_radiomics_settings settings;
	size_t image;        /* the image type whose settings are read */
	size_t family_count; /* feature classes read so far */
	bool classes_named;  /* there is a featureClass */
	struct rs_error *err;
};

static const char *scalar(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SCALAR_NODE ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return NULL;
	return (const char *)node->data.scalar.value;
}

static unsigned long line_of(const yaml_node_t *node) { return (unsigned long)node->start_mark.line + 1; }

/* A scalar, or the numbers of a sequence with commas between. */
static enum rs_code value_text(struct reading *r, yaml_node_t *node, char *out, size_t size)
{
	const char *text = scalar(node);
	size_t used = 0;
	out[0] = '\0';
	if (text != NULL && strlen(text) < size) {
		memcpy(out, text, strlen(text) + 1);
		return RS_OK;
	}
	if (node->type != YAML_SEQUENCE_NODE)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "line %lu: a value is too long or of the wrong kind", line_of(node));
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const char *item = scalar(yaml_document_get_node(r->document, *i));
		int n = item == NULL ? -1
		                     : snprintf(out + used, size - used, "%s%s", used > 0 ? "," : "", item);
		if (n < 0 || (size_t)n >= size - used)
			return rs_error_set(r->err, RS_MALFORMED, "line %lu: a list is too long or nested",
			                    line_of(node));
		used += (size_t)n;
	}
	return RS_OK;
}

static enum rs_code read_setting(struct reading *r, const char *name, yaml_node_t *value)
{
	char text[256];
	RS_TRY(value_text(r, value, text, sizeof text));
	if (rs_radiomics_settings_set(&r->settings, name, text, r->err) == RS_OK)
		return RS_OK;
	return rs_error_context(r->err, "line %lu", line_of(value));
}

static enum rs_code read_ibsi_setting(struct reading *r, const char *name, yaml_node_t *value)
{
	char text[256];
	RS_TRY(value_text(r, value, text, sizeof text));
	if (ibsi_settings_set(&r->settings.ibsi, name, text, r->err) == RS_OK)
		return RS_OK;
	return rs_error_context(r->err, "line %lu", line_of(value));
}

static enum rs_code read_voxel_setting(struct reading *r, const char *name, yaml_node_t *value)
{
	const struct setting_row *row = setting_find(rs_str_from(name));
	if (row == NULL || row->scope != OF_VOXEL)
		return rs_error_set(
			r->err, RS_MALFORMED,
			"line %lu: '%s' is no voxelSetting; there are kernelRadius, maskedKernel, "
			"initValue and voxelBatch",
			line_of(value), name);
	return read_setting(r, name, value);
}

/* A setting that holds for the image type read last. */
static enum rs_code read_own_setting(struct reading *r, const char *name, yaml_node_t *value)
{
	char text[256];
	struct rs_image_choice *choice = &r->settings.images[r->image];
	const struct setting_row *row = setting_find(rs_str_from(name));
	RS_TRY(value_text(r, value, text, sizeof text));
	if (row == NULL)
		return unknown(name, r->err) == RS_OK ? RS_OK
		                                      : rs_error_context(r->err, "line %lu", line_of(value));
	if (row->scope != OF_IMAGE)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "line %lu: '%s' holds for a case, not for one image type; put it under "
		                    "'setting'",
		                    line_of(value), name);
	if (assign(row, &choice->settings, text, r->err) != RS_OK)
		return rs_error_context(r->err, "line %lu", line_of(value));
	choice->own |= (uint64_t)1 << (row - setting_rows);
	r->settings.binning_chosen |= rs_str_starts_with(rs_str_from(name), "bin");
	return RS_OK;
}

typedef enum rs_code read_pair(struct reading *r, const char *name, yaml_node_t *value);
static enum rs_code each_pair(struct reading *r, yaml_node_t *node, read_pair *read);

static enum rs_code read_image_type(struct reading *r, const char *name, yaml_node_t *value)
{
	enum rs_image_type type = RS_IMAGE_ORIGINAL;
	while (type < RS_IMAGE_TYPE_COUNT && strcmp(image_type_name(type), name) != 0)
		type++;
	if (type == RS_IMAGE_TYPE_COUNT)
		return rs_error_set(
			r->err, RS_MALFORMED,
			"line %lu: image type '%s' is unknown; there are Original, LoG, Wavelet, Square, "
			"SquareRoot, Logarithm, Exponential, Gradient, LBP2D and LBP3D",
			line_of(value), name);
	r->image = r->settings.image_count;
	rs_radiomics_settings_add_image(&r->settings, type);
	return each_pair(r, value, read_own_setting);
}

static enum rs_code choose(struct reading *r, int family, yaml_node_t *item)
{
	const char *name = scalar(item);
	const struct rs_feature_table *table = rs_feature_family((enum rs_family)family);
	for (size_t i = 0; name != NULL && i < table->count; i++)
		if (strcmp(table->rows[i].display, name) == 0) {
			if (!(r->settings.chosen[family] >> i & 1))
				r->settings.named[family][r->settings.named_count[family]++] = (uint8_t)i;
			r->settings.chosen[family] |= (uint64_t)1 << i;
			return RS_OK;
		}
	return rs_error_set(r->err, RS_MALFORMED, "line %lu: class %s has no feature '%s'", line_of(item),
	                    rs_family_name((enum rs_family)family), name != NULL ? name : "(no text)");
}

/* All features of a class that are not deprecated. */
static void choose_all(struct reading *r, enum rs_family family)
{
	const struct rs_feature_table *table = rs_feature_family(family);
	r->settings.chosen[family] = 0;
	for (size_t i = 0; i < table->count; i++)
		r->settings.chosen[family] |= (uint64_t)!table->rows[i].deprecated << i;
}

static enum rs_code read_class(struct reading *r, const char *name, yaml_node_t *value)
{
	int family = 0;
	while (family < RS_FAMILY_COUNT && strcmp(rs_family_name((enum rs_family)family), name) != 0)
		family++;
	if (family == RS_FAMILY_COUNT)
		return rs_error_set(
			r->err, RS_MALFORMED,
			"line %lu: feature class '%s' is unknown; there are shape, shape2D, firstorder, "
			"glcm, gldm, glrlm, glszm and ngtdm",
			line_of(value), name);
	r->settings.family_order[r->family_count++] = (uint8_t)family;
	const char *text = scalar(value);
	bool all = (text != NULL && is_none(text)) ||
	           (value->type == YAML_SEQUENCE_NODE &&
	            value->data.sequence.items.start == value->data.sequence.items.top);
	if (all) {
		choose_all(r, (enum rs_family)family);
		return RS_OK;
	}
	if (value->type != YAML_SEQUENCE_NODE)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "line %lu: '%s' wants a list of features, or nothing "
		                    "for all",
		                    line_of(value), name);
	for (yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top; i++)
		RS_TRY(choose(r, family, yaml_document_get_node(r->document, *i)));
	return RS_OK;
}

static enum rs_code each_pair(struct reading *r, yaml_node_t *node, read_pair *read)
{
	const char *text = scalar(node);
	if (text != NULL && is_none(text))
		return RS_OK;
	if (node->type != YAML_MAPPING_NODE)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "line %lu: names with values are expected, \"name: "
		                    "value\"",
		                    line_of(node));
	yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	for (yaml_node_pair_t *p = pairs; p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *name_node = yaml_document_get_node(r->document, p->key);
		const char *name = scalar(name_node);
		if (name == NULL)
			return rs_error_set(r->err, RS_MALFORMED, "line %lu: a name must be plain text",
			                    line_of(name_node));
		for (yaml_node_pair_t *q = pairs; q < p; q++) {
			const char *other = scalar(yaml_document_get_node(r->document, q->key));
			if (other != NULL && strcmp(other, name) == 0)
				return rs_error_set(r->err, RS_MALFORMED, "line %lu: '%s' appears twice",
				                    line_of(name_node), name);
		}
		RS_TRY(read(r, name, yaml_document_get_node(r->document, p->value)));
	}
	return RS_OK;
}

/* Families that the file does not name stand last; nothing of them is chosen. */
static void order_complete(struct reading *r)
{
	bool named[RS_FAMILY_COUNT] = {false};
	for (size_t i = 0; i < r->family_count; i++)
		named[r->settings.family_order[i]] = true;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		if (!named[f])
			r->settings.family_order[r->family_count++] = (uint8_t)f;
}

static enum rs_code read_top(struct reading *r, const char *name, yaml_node_t *value)
{
	if (strcmp(name, "setting") == 0)
		return each_pair(r, value, read_setting);
	if (strcmp(name, "imageType") == 0) {
		r->settings.image_count = 0;
		return each_pair(r, value, read_image_type);
	}
	if (strcmp(name, "featureClass") == 0) {
		memset(r->settings.chosen, 0, sizeof r->settings.chosen);
		memset(r->settings.named_count, 0, sizeof r->settings.named_count);
		r->classes_named = true;
		RS_TRY(each_pair(r, value, read_class));
		order_complete(r);
		return RS_OK;
	}
	if (strcmp(name, "voxelSetting") == 0)
		return each_pair(r, value, read_voxel_setting);
	if (strcmp(name, "ibsi") == 0) {
		r->settings.mode = RS_RADIOMICS_IBSI;
		return each_pair(r, value, read_ibsi_setting);
	}
	return rs_error_set(r->err, RS_MALFORMED,
	                    "line %lu: '%s' is unknown; a parameter file has setting, "
	                    "imageType, featureClass, voxelSetting and ibsi",
	                    line_of(value), name);
}

enum rs_code rs_radiomics_settings_parse(struct rs_bytes file, struct rs_radiomics_settings *out,
                                         struct rs_error *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	struct reading reading = {.document = &document, .err = err};
	if (file.size > FILE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a parameter file may have %u bytes", FILE_MAX);
	if (yaml_parser_initialize(&parser) == 0)
		return rs_error_memory(err, sizeof parser, "YAML");
	yaml_parser_set_input_string(&parser, file.data, file.size);
	if (yaml_parser_load(&parser, &document) == 0) {
		rs_error_set(err, RS_MALFORMED, "line %lu: %s", (unsigned long)parser.problem_mark.line + 1,
		             parser.problem != NULL ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return RS_MALFORMED;
	}
	rs_radiomics_settings_default(&reading.settings);
	yaml_node_t *root = yaml_document_get_root_node(&document);
	enum rs_code code = root == NULL ? RS_OK : each_pair(&reading, root, read_top);
	/* As PyRadiomics does: a file without featureClass wants every class, and shape2D is possible with force2D. */
	if (!reading.classes_named && reading.settings.common.force_2d)
		choose_all(&reading, RS_FAMILY_SHAPE_2D);
	if (code == RS_OK)
		code = rs_radiomics_settings_check(&reading.settings, err);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	if (code == RS_OK)
		*out = reading.settings;
	return code;
}
