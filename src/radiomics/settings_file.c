/* PyRadiomics' parameter files: YAML (of which JSON is a part) with the keys setting, imageType,
 * featureClass and voxelSetting. Every key is either obeyed or refused, never passed over. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "radiomics/evidence.h"

#define FILE_MAX (1U << 20)

enum kind { FLAG, REAL, WHOLE32, WHOLE64, LIST, NAME, NOT_BUILT, OTHER_FAMILY };

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
};

#define AT(member) offsetof(struct rs_radiomics_settings, member)
static const struct setting settings_known[] = {
	{"binWidth", REAL, AT(bin_width)},
	{"binCount", WHOLE32, AT(bin_count)},
	{"label", WHOLE32, AT(label)},
	{"voxelArrayShift", REAL, AT(voxel_array_shift)},
	{"symmetricalGLCM", FLAG, AT(symmetrical_glcm)},
	{"resegmentShape", FLAG, AT(resegment_shape)},
	{"minimumROIDimensions", WHOLE32, AT(minimum_roi_dimensions)},
	{"minimumROISize", WHOLE64, AT(minimum_roi_size)},
	{"force2D", FLAG, AT(force_2d)},
	{"force2Ddimension", WHOLE32, AT(force_2d_dimension)},
	{"normalize", FLAG, AT(normalize)},
	{"normalizeScale", REAL, AT(normalize_scale)},
	{"removeOutliers", REAL, AT(remove_outliers)},
	{"preCrop", FLAG, AT(pre_crop)},
	{"padDistance", WHOLE32, AT(pad_distance)},
	{"geometryTolerance", REAL, AT(geometry_tolerance)},
	{"additionalInfo", FLAG, AT(additional_info)},
	{"distances", LIST, 0},
	{"resegmentRange", LIST, 0},
	{"resegmentMode", NAME, 0},
	{"weightingNorm", NAME, 0},
	{"resampledPixelSpacing", NOT_BUILT, 0},
	{"correctMask", NOT_BUILT, 0},
	{"interpolator", OTHER_FAMILY, 0},
	{"gldm_a", NOT_BUILT, 0},
	{"label_channel", NOT_BUILT, 0},
};

static bool is_none(const char *value)
{
	static const char *const words[] = {"None", "none", "null", "Null", "NULL", "~", "", "[]"};
	for (size_t i = 0; i < RS_COUNT(words); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool parse_flag(struct rs_str text, bool *out)
{
	bool yes = rs_str_equal_ignoring_case(text, RS_STR("true"));
	if (!yes && !rs_str_equal_ignoring_case(text, RS_STR("false")))
		return false;
	*out = yes;
	return true;
}

/* A whole number, also in the form 1.0. */
static bool parse_whole(struct rs_str text, uint64_t most, uint64_t *out)
{
	double real;
	if (!rs_parse_f64(text, &real) || !(real >= 0) || real > (double)most || floor(real) < real)
		return false;
	*out = (uint64_t)real;
	return true;
}

/* Numbers between commas, with or without brackets. */
static bool parse_list(struct rs_str text, double *out, size_t most, size_t *out_count)
{
	struct rs_str part;
	size_t count = 0;
	text = rs_str_trim(text);
	if (text.size > 1 && text.data[0] == '[' && text.data[text.size - 1] == ']') {
		text.data++;
		text.size -= 2;
	}
	while (rs_str_split(&text, ',', &part))
		if (count == most || !rs_parse_f64(rs_str_trim(part), &out[count++]))
			return false;
	*out_count = count;
	return true;
}

static bool set_list(struct rs_radiomics_settings *s, const char *name, struct rs_str text)
{
	double values[RS_RADIOMICS_DISTANCES_MAX];
	size_t count;
	bool distances = strcmp(name, "distances") == 0;
	if (!parse_list(text, values, distances ? RS_RADIOMICS_DISTANCES_MAX : 2, &count) || count == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]) ||
		    (distances && !(values[i] >= 1 && values[i] <= 16 && floor(values[i]) >= values[i])))
			return false;
	if (distances)
		s->distance_count = count;
	else
		s->resegment_count = count;
	for (size_t i = 0; i < count; i++)
		if (distances)
			s->distances[i] = (unsigned)values[i];
		else
			s->resegment_range[i] = values[i];
	return true;
}

static bool set_name(struct rs_radiomics_settings *s, const char *name, const char *value)
{
	static const char *const modes[] = {"absolute", "relative", "sigma"};
	static const char *const norms[] = {"", "manhattan", "euclidean", "infinity", "no_weighting"};
	bool mode = strcmp(name, "resegmentMode") == 0;
	for (size_t i = mode ? 0 : 1; i < (mode ? RS_COUNT(modes) : RS_COUNT(norms)); i++)
		if (strcmp(value, mode ? modes[i] : norms[i]) == 0) {
			if (mode)
				s->resegment_mode = (enum rs_resegment_mode)i;
			else
				s->weighting = (enum rs_weighting)i;
			return true;
		}
	return false;
}

/* None puts a setting back to "off" where it has such a state. */
static bool set_none(struct rs_radiomics_settings *s, const char *name)
{
	if (strcmp(name, "binCount") == 0)
		s->bin_count = 0;
	else if (strcmp(name, "minimumROISize") == 0)
		s->minimum_roi_size = 0;
	else if (strcmp(name, "removeOutliers") == 0)
		s->remove_outliers = 0;
	else if (strcmp(name, "resegmentRange") == 0)
		s->resegment_count = 0;
	else if (strcmp(name, "weightingNorm") == 0)
		s->weighting = RS_WEIGHTING_NONE;
	else
		return false;
	return true;
}

static bool set_value(struct rs_radiomics_settings *s, const struct setting *setting, const char *value)
{
	unsigned char *field = (unsigned char *)s + setting->offset;
	struct rs_str text = rs_str_from(value);
	bool flag;
	double real;
	uint64_t whole;
	uint32_t narrow;
	switch (setting->kind) {
	case FLAG:
		if (!parse_flag(text, &flag))
			return false;
		memcpy(field, &flag, sizeof flag);
		return true;
	case REAL:
		if (!rs_parse_f64(text, &real) || !isfinite(real))
			return false;
		memcpy(field, &real, sizeof real);
		return true;
	case WHOLE32:
	case WHOLE64:
		if (!parse_whole(text, setting->kind == WHOLE32 ? UINT32_MAX : (uint64_t)1 << 53, &whole))
			return false;
		narrow = (uint32_t)whole;
		if (setting->kind == WHOLE32)
			memcpy(field, &narrow, sizeof narrow);
		else
			memcpy(field, &whole, sizeof whole);
		return true;
	case LIST: return set_list(s, setting->name, text);
	case NAME: return set_name(s, setting->name, value);
	case NOT_BUILT:
	case OTHER_FAMILY: break;
	}
	return true;
}

enum rs_code rs_radiomics_settings_set(struct rs_radiomics_settings *settings, const char *name,
                                       const char *value, struct rs_error *err)
{
	const struct setting *known = NULL;
	for (size_t i = 0; i < RS_COUNT(settings_known); i++)
		if (strcmp(settings_known[i].name, name) == 0)
			known = &settings_known[i];
	if (known == NULL) {
		for (size_t i = 0; i < RS_COUNT(settings_known); i++)
			if (rs_str_equal_ignoring_case(rs_str_from(settings_known[i].name),
			                               rs_str_from(name)))
				return rs_error_set(err, RS_MALFORMED,
				                    "setting '%s' is unknown; did you mean '%s'?", name,
				                    settings_known[i].name);
		return rs_error_set(err, RS_MALFORMED,
		                    "setting '%s' is unknown; see PyRadiomics' list of "
		                    "settings, or remove it",
		                    name);
	}
	bool off = is_none(value) || (known->kind == NOT_BUILT && strcmp(value, "0") == 0);
	if (known->kind == NOT_BUILT && !off &&
	    !rs_str_equal_ignoring_case(rs_str_from(value), RS_STR("false")))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "setting '%s' is not in this version; remove it to "
		                    "measure without it",
		                    name);
	if (known->kind == NOT_BUILT || known->kind == OTHER_FAMILY)
		return RS_OK; /* interpolator alone changes nothing: without resampling nobody asks it */
	struct rs_radiomics_settings changed = *settings;
	if (off ? !set_none(&changed, name) : !set_value(&changed, known, value))
		return rs_error_set(err, RS_MALFORMED, "setting '%s' cannot be '%s'", name, value);
	*settings = changed;
	return RS_OK;
}

/* What a parameter file is walked with. */
struct reading {
	yaml_document_t *document;
	struct rs_radiomics_settings settings;
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

static enum rs_code read_image_type(struct reading *r, const char *name, yaml_node_t *value)
{
	if (strcmp(name, "Original") != 0)
		return rs_error_set(r->err, RS_UNSUPPORTED,
		                    "line %lu: image type '%s' is not in this version, "
		                    "only Original is; remove it",
		                    line_of(value), name);
	if (value->type == YAML_MAPPING_NODE &&
	    value->data.mapping.pairs.start < value->data.mapping.pairs.top)
		return rs_error_set(r->err, RS_UNSUPPORTED,
		                    "line %lu: settings of one image type are not in "
		                    "this version; put them under 'setting'",
		                    line_of(value));
	return RS_OK;
}

static enum rs_code choose(struct reading *r, int family, yaml_node_t *item)
{
	const char *name = scalar(item);
	const struct rs_feature_table *table = rs_feature_family((enum rs_family)family);
	for (size_t i = 0; name != NULL && i < table->count; i++)
		if (strcmp(table->rows[i].display, name) == 0) {
			r->settings.chosen[family] |= (uint64_t)1 << i;
			return RS_OK;
		}
	return rs_error_set(r->err, RS_UNSUPPORTED, "line %lu: class %s has no feature '%s'", line_of(item),
	                    rs_family_name((enum rs_family)family), name != NULL ? name : "(no text)");
}

static enum rs_code read_class(struct reading *r, const char *name, yaml_node_t *value)
{
	int family = 0;
	while (family < RS_FAMILY_COUNT && strcmp(rs_family_name((enum rs_family)family), name) != 0)
		family++;
	if (family == RS_FAMILY_COUNT)
		return rs_error_set(r->err, RS_UNSUPPORTED,
		                    "line %lu: feature class '%s' is not in this version, "
		                    "which has shape, firstorder and glcm; remove it",
		                    line_of(value), name);
	const char *text = scalar(value);
	bool all = (text != NULL && is_none(text)) ||
	           (value->type == YAML_SEQUENCE_NODE &&
	            value->data.sequence.items.start == value->data.sequence.items.top);
	if (all) {
		struct rs_radiomics_settings defaults;
		rs_radiomics_settings_default(&defaults);
		r->settings.chosen[family] = defaults.chosen[family];
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

typedef enum rs_code read_pair(struct reading *r, const char *name, yaml_node_t *value);

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

static enum rs_code read_top(struct reading *r, const char *name, yaml_node_t *value)
{
	if (strcmp(name, "setting") == 0)
		return each_pair(r, value, read_setting);
	if (strcmp(name, "imageType") == 0)
		return each_pair(r, value, read_image_type);
	if (strcmp(name, "featureClass") == 0) {
		memset(r->settings.chosen, 0, sizeof r->settings.chosen);
		return each_pair(r, value, read_class);
	}
	if (strcmp(name, "voxelSetting") == 0)
		return rs_error_set(r->err, RS_UNSUPPORTED,
		                    "line %lu: voxel-based extraction is not in this "
		                    "version; remove 'voxelSetting'",
		                    line_of(value));
	return rs_error_set(r->err, RS_MALFORMED,
	                    "line %lu: '%s' is unknown; a parameter file has setting, "
	                    "imageType, featureClass and voxelSetting",
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
	if (code == RS_OK)
		code = rs_radiomics_settings_check(&reading.settings, err);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	if (code == RS_OK)
		*out = reading.settings;
	return code;
}
