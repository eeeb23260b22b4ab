/* radseal find: what is sealed, by its DICOM attributes, as far as somebody may see it. */
#include <stdio.h>
#include <string.h>

#include "access/access_find.h"
#include "access_words.h"
#include "devices/devices.h"
#include "dicom_words.h"
#include "session.h"

#define OUTPUT_MAX ((size_t)1 << 30)
#define MATCHES_MAX 1000000
#define DEFAULT_MATCHES 1000

struct output {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json;
	const struct rs_catalogue_key *keys;
	size_t key_count;
	uint64_t left;                /* matches that may still be printed */
	struct rs_listings *listings; /* to tell whose manifest lists an image */
};

/* What is told when nothing particular is asked for. */
static const char *const columns[RS_LEVEL_COUNT][8] = {
	{"PatientID", "PatientName", "PatientBirthDate", "PatientSex", "NumberOfPatientRelatedStudies"},
	{"StudyDate", "PatientID", "PatientName", "ModalitiesInStudy", "StudyDescription", "StudyInstanceUID",
         "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"},
	{"Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined", "SeriesInstanceUID",
         "NumberOfSeriesRelatedInstances"},
	{"InstanceNumber", "SOPInstanceUID", "SOPClassUID", "Rows", "Columns", "NumberOfFrames"},
};

static enum rs_code read_key(const char *text, struct rs_catalogue_key *out, struct rs_error *err)
{
	struct rs_str value = rs_str_from(text), keyword;
	rs_str_split(&value, '=', &keyword);
	const struct rs_dicom_entry *entry = rs_dicom_lookup_keyword(keyword);
	if (!entry || !rs_catalogue_attribute(entry->tag))
		return rs_error_set(err, RS_USAGE,
		                    "find: '" RS_STR_FORMAT "' is no attribute that can be asked for; "
		                    "radseal find --attributes lists them",
		                    RS_STR_ARGUMENTS(keyword));
	*out = (struct rs_catalogue_key){entry->tag, value};
	return RS_OK;
}

static enum rs_code read_keys(const struct command_line *line, enum rs_level level,
                              struct rs_catalogue_key out[static RS_CATALOGUE_KEYS_MAX], size_t *out_count,
                              struct rs_error *err)
{
	char *const *texts = line->operands;
	size_t count = line->operand_count;
	if (count > RS_CATALOGUE_KEYS_MAX)
		return rs_error_set(err, RS_USAGE, "find: more than %d attributes", RS_CATALOGUE_KEYS_MAX);
	for (size_t i = 0; i < count; i++)
		RS_TRY(read_key(texts[i], &out[i], err));
	for (size_t i = 0; line->operand_count == 0 && i < RS_COUNT(columns[level]) && columns[level][i]; i++)
		RS_TRY(read_key(columns[level][i], &out[count++], err));
	*out_count = count;
	return RS_OK;
}

static enum rs_code print_object(struct output *output, const struct rs_found *found, struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	struct rs_cid cid;
	uint64_t entry;
	struct rs_listing listing;
	struct rs_digest content;
	if (found->match.level != RS_LEVEL_IMAGE || !output->as_json)
		return RS_OK;
	RS_TRY(rs_found_object(found, &cid, &entry, &content, err));
	rs_cid_format(&cid, text);
	rs_json_key(&output->json, "object");
	rs_json_text(&output->json, text);
	rs_json_key(&output->json, "entry");
	rs_json_u64(&output->json, entry);
	enum rs_code code = rs_listings_content(output->listings, &content, &listing, err);
	if (code == RS_NOT_FOUND)
		return RS_OK;
	RS_TRY(code);
	rs_json_key(&output->json, "listed_by");
	rs_json_text(&output->json, listing.name);
	return RS_OK;
}

static enum rs_code print(void *context, const struct rs_found *found, struct rs_error *err)
{
	struct output *output = context;
	output->left--;
	if (output->as_json)
		rs_json_object_begin(&output->json);
	for (size_t i = 0; i < output->key_count; i++) {
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		RS_TRY(rs_found_value(found, output->keys[i].tag, text, &value, err));
		if (output->as_json) {
			rs_json_key(&output->json, rs_dicom_lookup(output->keys[i].tag)->keyword);
			rs_json_str(&output->json, value);
		} else {
			matches_cell(&output->text, value, i == 0);
		}
	}
	RS_TRY(print_object(output, found, err));
	if (output->as_json)
		rs_json_object_end(&output->json);
	else
		rs_buffer_append_u8(&output->text, '\n');
	return rs_buffer_check(&output->text, "the matches", err);
}

static enum rs_code list_attributes(void)
{
	size_t count;
	const struct rs_catalogue_attribute *attributes = rs_catalogue_attributes(&count);
	for (size_t i = 0; i < count; i++)
		printf("%s\t(%04X,%04X)\t%s\t%s\n", rs_level_name((enum rs_level)attributes[i].level),
		       attributes[i].tag >> 16, attributes[i].tag & 0xFFFF, attributes[i].vr,
		       rs_dicom_lookup(attributes[i].tag)->keyword);
	return RS_OK;
}

static enum rs_code read_options(const struct command_line *line, struct rs_find *out, struct rs_error *err)
{
	const char *level = option_value(line, "level");
	RS_TRY(option_u64(line, "limit", DEFAULT_MATCHES, MATCHES_MAX, &out->limit, err));
	RS_TRY(option_u64(line, "offset", 0, MATCHES_MAX, &out->offset, err));
	if (out->limit == 0)
		return rs_error_set(err, RS_USAGE, "find: --limit is 1 or more");
	out->query.level = RS_LEVEL_STUDY;
	if (level && !rs_level_from_name(rs_str_from(level), &out->query.level))
		return rs_error_set(err, RS_USAGE,
		                    "find: a level is patient, study, series or image, not '%s'", level);
	return option_given(line, "purpose") ? option_purpose(line, &out->purpose, err) : RS_OK;
}

static enum rs_code find(const struct command_line *line, struct rs_find *question, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_finder *finder RS_CLEANUP(rs_finder_destroy_pointer) = NULL;
	struct output output = {.as_json = option_given(line, "json"),
	                        .keys = question->query.keys,
	                        .key_count = question->query.key_count,
	                        .left = question->limit};
	struct rs_find_counts counts;
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	question->actor = actor;
	RS_TRY(rs_finder_create(node, &finder, err));
	RS_TRY(rs_listings_open(node, &output.listings, err));
	rs_buffer_init(&output.text, OUTPUT_MAX);
	rs_json_init(&output.json, &output.text, true);
	if (output.as_json)
		rs_json_array_begin(&output.json);
	enum rs_code code = rs_finder_find(finder, question, print, &output, &counts, err);
	if (output.as_json) {
		rs_json_array_end(&output.json);
		rs_buffer_append_text(&output.text, "\n");
	}
	if (code == RS_OK)
		code = session_write(NULL, rs_buffer_bytes(&output.text), err);
	rs_buffer_finish(&output.text);
	rs_listings_close(output.listings);
	if (code == RS_OK && counts.has_more && !option_given(line, "quiet"))
		fprintf(stderr, "radseal: there is more: --limit and --offset tell what is shown\n");
	return code == RS_OK ? RS_OK : rs_error_context(err, "find");
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_catalogue_key keys[2 * RS_CATALOGUE_KEYS_MAX];
	struct rs_find question = {.actor = NULL};
	if (option_given(line, "attributes"))
		return list_attributes();
	RS_TRY(read_options(line, &question, err));
	RS_TRY(read_keys(line, question.query.level, keys, &question.query.key_count, err));
	question.query.keys = keys;
	return find(line, &question, err);
}

static const struct option options[] = {
	{"level", "LEVEL", "what is found: patient, study (the default), series or image"},
	{"purpose", "WORD",
         "what it is for: treatment, research, operations, audit or patient-request; otherwise the first that "
         "the role has"},
	{"limit", "N", "at most so many matches (1000 unless told)"},
	{"offset", "N", "pass over the first ones"},
	{"attributes", NULL, "list what can be asked for, by level"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal find --as doctor", "studies, the newest first"},
	{"radseal find 'PatientName=doe*' StudyDate=20260101-20261231 StudyInstanceUID --as doctor",
         "by name and dates; what is told is what was asked for"},
	{"radseal find --level image StudyInstanceUID=1.2.840.1 SOPInstanceUID --json",
         "the objects of a study, with their addresses for radseal retrieve"},
	{NULL, NULL},
};

const struct command command_find = {
	.name = "find",
	.arguments = "[KEYWORD[=VALUE]…] [--level LEVEL] [--as NAME] [--purpose WORD] [--home DIR]",
	.summary = "find sealed images by patient, study, series",
	.description =
		"Keys are matched as DICOM's C-FIND does: a single value, UIDs parted by backslashes, * and ? in\n"
		"text, FROM-TO for dates and times; of names alone case does not count. What matches is shown as\n"
		"far as the contract lets the member read it: each study in an answer was decided, and an access\n"
		"request for it is an entry of the ledger before the answer is given. Status 3 when the member's role\n"
		"may read nothing for the purpose. The attributes lie encrypted in the node.",
	.options = options,
	.examples = examples,
	.run = run,
};
