/* Checklists, item by item: what the record of this run or the study's card shows, and "not evidenced" where they show
 * nothing. Numbers and topics are those of METRICS (Kocak et al., Insights Imaging 2024;15:8; weights of its table 1 and its
 * tool), TRIPOD+AI (Collins et al., BMJ 2024;385:e078378) and CLEAR (Kocak et al., Insights Imaging 2023;14:75); the wording
 * is ours. */
#include <string.h>

#include "parts.h"

/* key: of the record's facts or the card's; several with |, the first that is there counts. NULL: what no record of a
 * training can show. weight 0: the list has no score. */
struct item {
	const char *number, *topic, *key;
	double weight;
};

static const struct item metrics[] = {
	{"1", "A guideline for radiomics or machine learning is followed", "guideline", 0.0368},
	{"2", "Who could take part, and whom they stand for", "eligibility", 0.0735},
	{"3", "A good reference standard, defined", "reference_standard", 0.0919},
	{"4", "More than one centre", "multicentre", 0.0438},
	{"5", "Images as clinics make them", "imaging_source", 0.0292},
	{"6", "How images were acquired", "imaging_protocol", 0.0438},
	{"7", "Time between image and reference standard", "imaging_interval", 0.0292},
	{"8", "How regions were drawn", "segmentation", 0.0337},
	{"9", "Automatic regions were checked", "segmentation_evaluation", 0.0225},
	{"10", "Regions of test images come from one reader or tool", "segmentation_readers", 0.0112},
	{"11", "Preprocessing of images fits and is told", "preprocessing", 0.0622},
	{"12", "Features by software that follows a standard", "extraction_software", 0.0311},
	{"13", "Settings of the extraction", "extraction", 0.0415},
	{"14", "Unstable features are removed", "stability", 0.0200},
	{"15", "Redundant features are removed", "redundancy", 0.0200},
	{"16", "No more features than the data bear", "dimension", 0.0300},
	{"17", "Networks without features: robustness", NULL, 0.0200},
	{"18", "Data are divided properly", "split", 0.0599},
	{"19", "Confounders are dealt with", "confounders", 0.0300},
	{"20", "Fitting measures of performance", "measures", 0.0352},
	{"21", "Uncertainty is given", "uncertainty", 0.0234},
	{"22", "Calibration is assessed", "calibration", 0.0176},
	{"23", "One kind of image, or a proof that it falls short", "uniparametric", 0.0117},
	{"24", "Compared with what is not radiomics, or added to it", "non_radiomic", 0.0293},
	{"25", "Compared with simple statistical models", "classical", 0.0176},
	{"26", "Tested on a set of the same source that was kept apart", "internal_test", 0.0375},
	{"27", "Tested on data of another institution", "external_test", 0.0749},
	{"28", "Data are shared", "data_availability", 0.0075},
	{"29", "Code is shared", "code_availability", 0.0075},
	{"30", "The model is shared", "model_availability", 0.0075},
};

static const struct item tripod[] = {
	{"1", "Title: a prediction model, of whom, for what", "title", 0},
	{"2", "Abstract", NULL, 0},
	{"3a", "Setting in care, why a model, what models there are", "background", 0},
	{"3b", "For whom, where in care, by whom used", "intended_use", 0},
	{"3c", "Known inequalities of health between groups", "inequalities", 0},
	{"4", "Aim: to develop, to evaluate, or both", "aim", 0},
	{"5a", "Sources of data, why these, how representative", "data_source", 0},
	{"5b", "When data were gathered", "data_dates", 0},
	{"6a", "Setting; how many centres, where", "setting|multicentre", 0},
	{"6b", "Who could take part", "eligibility", 0},
	{"6c", "Treatments and how they were heeded", "treatments", 0},
	{"7", "Preparation of data, alike in all groups", "preparation", 0},
	{"8a", "Outcome, horizon, how it was assessed", "outcome", 0},
	{"8b", "Who assessed the outcome", "outcome_assessment", 0},
	{"8c", "Outcome assessed without sight of predictors", "outcome_blinding", 0},
	{"9a", "Which predictors were taken first, and why", "predictors_choice", 0},
	{"9b", "Predictors defined, how and when measured", "predictors", 0},
	{"9c", "Who assessed predictors", "predictors_assessment", 0},
	{"10", "Size of the study and why it suffices", "sample_size", 0},
	{"11", "Missing data", "missing", 0},
	{"12a", "How data were divided and used", "split", 0},
	{"12b", "How predictors entered the model", "scaling", 0},
	{"12c", "Kind of model, how built, tuned, validated", "model", 0},
	{"12d", "Differences between centres", "heterogeneity", 0},
	{"12e", "Measures of performance and comparison", "measures", 0},
	{"12f", "Updating of the model", NULL, 0},
	{"12g", "How predictions are computed", "computing", 0},
	{"13", "Unequal classes", "balance", 0},
	{"14", "Fairness", "fairness", 0},
	{"15", "What the model gives out; thresholds", "output", 0},
	{"16", "Differences between development and evaluation", "split", 0},
	{"17", "Approval by an ethics board, consent", "ethics", 0},
	{"18a", "Funding", "funding", 0},
	{"18b", "Conflicts of interest", "conflicts", 0},
	{"18c", "Protocol", "protocol", 0},
	{"18d", "Registration", "registration", 0},
	{"18e", "Data sharing", "data_availability", 0},
	{"18f", "Code sharing", "code_availability", 0},
	{"19", "Patients and public took part", "involvement", 0},
	{"20a", "Flow of participants, events, follow-up", "flow", 0},
	{"20b", "Who the participants are", "demographics", 0},
	{"20c", "Predictors of evaluation against development", "shift", 0},
	{"21", "Participants and events in each analysis", "flow", 0},
	{"22", "The model in full", "specification", 0},
	{"23a", "Performance with intervals, in groups, calibration", "performance", 0},
	{"23b", "Performance by centre", "performance_centres", 0},
	{"24", "The updated model", NULL, 0},
	{"25", "Meaning of the results", "verdict", 0},
	{"26", "Limits", "limits", 0},
	{"27a", "Poor or missing input in use", "poor_input", 0},
	{"27b", "What users have to do and know", "users", 0},
	{"27c", "What comes next", "next_steps", 0},
};

static const struct item clear[] = {
	{"1", "Title names the radiomic method", "title", 0},
	{"2", "Structured summary", NULL, 0},
	{"3", "Keywords", "keywords", 0},
	{"4", "Background", "background", 0},
	{"5", "Why radiomics", "rationale", 0},
	{"6", "Aim", "aim", 0},
	{"7", "Checklists followed", "guideline", 0},
	{"8", "Ethics: approval, consent, data protection", "ethics", 0},
	{"9", "Sample size", "sample_size", 0},
	{"10", "Nature of the study", "design", 0},
	{"11", "Who could take part", "eligibility", 0},
	{"12", "The technical steps as a flow", "preparation", 0},
	{"13", "Source of data", "data_source", 0},
	{"14", "Overlap with earlier work", "prior_work", 0},
	{"15", "How data were split", "split", 0},
	{"16", "Imaging protocol", "imaging_protocol", 0},
	{"17", "Predictors that are not radiomic", "clinical_columns", 0},
	{"18", "Reference standard", "reference_standard|outcome", 0},
	{"19", "How regions were drawn", "segmentation", 0},
	{"20", "Who drew them", "segmentation_readers", 0},
	{"21", "Preprocessing of images", "preprocessing", 0},
	{"22", "Resampling", "resampling", 0},
	{"23", "Discretisation of grey levels", "discretisation", 0},
	{"24", "Kinds of image: original, filtered", "image_types", 0},
	{"25", "How features were extracted", "extraction|extraction_software", 0},
	{"26", "Classes of features", "feature_classes", 0},
	{"27", "Number of features", "predictors", 0},
	{"28", "Other settings at their defaults", "extraction", 0},
	{"29", "Missing data", "missing", 0},
	{"30", "Unequal classes", "balance", 0},
	{"31", "Reliability of regions", "segmentation_evaluation|stability", 0},
	{"32", "Scaling of features", "scaling", 0},
	{"33", "Reduction of dimensions", "selection", 0},
	{"34", "Algorithm", "model", 0},
	{"35", "Training and tuning", "tuning", 0},
	{"36", "Confounders", "confounders", 0},
	{"37", "How the model was chosen", "model_choice", 0},
	{"38", "How it was tested", "split", 0},
	{"39", "Measures and why these", "measures", 0},
	{"40", "Uncertainty", "uncertainty", 0},
	{"41", "Statistical comparison", "classical", 0},
	{"42", "Comparison with other and combined methods: how", "non_radiomic", 0},
	{"43", "Interpretability", "importance", 0},
	{"44", "Baseline characteristics", "demographics", 0},
	{"45", "Flow of participants", "flow", 0},
	{"46", "Statistics of features", "selection_results", 0},
	{"47", "Performance", "performance", 0},
	{"48", "Comparison with other and combined methods: results", "classical", 0},
	{"49", "Main findings", "verdict", 0},
	{"50", "Earlier works", "prior_work", 0},
	{"51", "What follows for practice", "implications", 0},
	{"52", "Strengths and limits", "limits", 0},
	{"53", "Images and regions shared", "data_availability", 0},
	{"54", "Feature data shared", "data_availability", 0},
	{"55", "Preprocessing scripts or settings shared", "code_availability", 0},
	{"56", "Source code of modelling shared", "code_availability", 0},
	{"57", "Final model shared", "model_availability", 0},
	{"58", "A system ready to use", "ready_to_use", 0},
};

static const struct checklist {
	const char *name, *about;
	const struct item *items;
	size_t count;
} lists[] = {
	{"METRICS (2024)", "Quality of radiomics research; 30 items with weights.", metrics,
         RS_COUNT(metrics)},
	{"TRIPOD+AI (2024)", "Reporting of prediction models; 27 items.", tripod, RS_COUNT(tripod)},
	{"CLEAR (2023)", "Reporting of radiomics; 58 items.", clear, RS_COUNT(clear)},
};

/* What authors alone can know, in the study file's card. The record goes before the card. */
static const char *const card_keys[] = {
	"aim",
	"background",
	"code_availability",
	"conflicts",
	"confounders",
	"contact",
	"data_availability",
	"data_dates",
	"data_source",
	"demographics",
	"design",
	"discretisation",
	"eligibility",
	"ethics",
	"external_test",
	"extraction",
	"extraction_software",
	"fairness",
	"feature_classes",
	"funding",
	"heterogeneity",
	"image_types",
	"imaging_interval",
	"imaging_protocol",
	"imaging_source",
	"implications",
	"inequalities",
	"intended_use",
	"internal_test",
	"involvement",
	"keywords",
	"licence",
	"limits",
	"model_availability",
	"next_steps",
	"out_of_scope",
	"outcome_assessment",
	"outcome_blinding",
	"predictors_assessment",
	"predictors_choice",
	"preprocessing",
	"prior_work",
	"protocol",
	"rationale",
	"ready_to_use",
	"reference_standard",
	"registration",
	"resampling",
	"sample_size",
	"segmentation",
	"segmentation_evaluation",
	"segmentation_readers",
	"setting",
	"stability",
	"treatments",
	"uniparametric",
	"users",
};

bool rs_card_key_known(const char *key)
{
	for (size_t i = 0; i < RS_COUNT(card_keys); i++)
		if (strcmp(card_keys[i], key) == 0)
			return true;
	return false;
}

static const char *fact_find(const struct rs_facts *facts, struct rs_str name)
{
	for (size_t i = 0; i < facts->count; i++)
		if (rs_str_equal_text(name, facts->items[i].name))
			return facts->items[i].value;
	return NULL;
}

static const char *shown_by(const struct rs_report *report, const struct item *item, bool *out_recorded)
{
	struct rs_str rest = rs_str_from(item->key), key;
	while (item->key && rs_str_split(&rest, '|', &key)) {
		const char *found = fact_find(&report->evidence, key);
		*out_recorded = found != NULL;
		if (!found)
			found = fact_find(&report->card, key);
		if (found)
			return found;
	}
	return NULL;
}

/* The key by which a card may speak of it; NULL: there is none. */
static const char *card_key_of(const struct item *item)
{
	struct rs_str rest = rs_str_from(item->key), key;
	while (item->key && rs_str_split(&rest, '|', &key))
		for (size_t i = 0; i < RS_COUNT(card_keys); i++)
			if (rs_str_equal_text(key, card_keys[i]))
				return card_keys[i];
	return NULL;
}

static void list_write(const struct rs_report *report, const struct checklist *list, struct rs_buffer *out)
{
	size_t shown = 0;
	double reached = 0;
	bool recorded;
	for (size_t i = 0; i < list->count; i++)
		if (shown_by(report, &list->items[i], &recorded)) {
			shown++;
			reached += list->items[i].weight;
		}
	rs_plot_write(out, "<details><summary><b>%E</b>: %Z of %Z items evidenced", list->name, shown,
	              list->count);
	if (list->items[0].weight > 0) {
		/* Item 17 is of networks without features: it does not apply, and its weight is not asked for. */
		rs_plot_write(out, "; score of what is evidenced %N %%",
		              100 * reached / (1 - metrics[16].weight));
	}
	rs_plot_write(
		out,
		"</summary>\n<p class=\"note\">%E The wording is this program's; see the paper for the items "
		"themselves.%E</p>\n<table class=\"items\"><thead><tr><th>Item</th><th>Topic</th><th>What shows "
		"it</th><th>By</th></tr></thead><tbody>\n",
		list->about,
		list->items[0].weight > 0
			? " What is not evidenced counts as not met; item 17 does not apply."
			: "");
	for (size_t i = 0; i < list->count; i++) {
		const struct item *item = &list->items[i];
		const char *found = shown_by(report, item, &recorded);
		rs_plot_write(out, "<tr><td>%E</td><td>%E</td>", item->number, item->topic);
		if (found)
			rs_plot_write(out, "<td>%E</td><td>%E</td></tr>\n", found,
			              recorded ? "record" : "card");
		else
			rs_plot_write(
				out,
				"<td class=\"none\">not evidenced</td><td class=\"none\">%E%E</td></tr>\n",
				card_key_of(item) ? "card: " : "",
				card_key_of(item) ? card_key_of(item) : "");
	}
	rs_plot_write(out, "</tbody></table></details>\n");
}

void checklists_write(const struct rs_report *report, struct rs_buffer *out)
{
	for (size_t i = 0; i < RS_COUNT(lists); i++)
		list_write(report, &lists[i], out);
}
