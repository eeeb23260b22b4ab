/* Charts are read back with an XML parser (expat): well-formed, things where the axis says, names harmless. */
#include <expat.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "svg.h"

#define THINGS_MAX 512
struct thing {
	char element[16], class[32], x[32], y[32], path[512], text[128];
};
struct page {
	struct rs_buffer buffer;
	size_t count, depth, open[8]; /* elements around what is read */
	struct thing things[THINGS_MAX];
};

static void keep(char *out, size_t size, const char *value) { snprintf(out, size, "%s", value); }

static void begin(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct page *page = context;
	assert_true(page->count < THINGS_MAX);
	assert_true(page->depth < RS_COUNT(page->open));
	struct thing *thing = &page->things[page->open[page->depth++] = page->count++];
	keep(thing->element, sizeof thing->element, name);
	for (; *attributes; attributes += 2) {
		const char *key = attributes[0], *value = attributes[1];
		if (strcmp(key, "class") == 0)
			keep(thing->class, sizeof thing->class, value);
		if (strcmp(key, "x") == 0 || strcmp(key, "cx") == 0)
			keep(thing->x, sizeof thing->x, value);
		if (strcmp(key, "y") == 0 || strcmp(key, "cy") == 0)
			keep(thing->y, sizeof thing->y, value);
		if (strcmp(key, "d") == 0)
			keep(thing->path, sizeof thing->path, value);
		assert_null(strstr(value, "nan"));
		assert_null(strstr(value, "inf"));
		assert_true(strncmp(key, "on", 2) != 0);
	}
}

static void end(void *context, const XML_Char *name)
{
	(void)name;
	((struct page *)context)->depth--;
}

static void characters(void *context, const XML_Char *text, int size)
{
	struct page *page = context;
	struct thing *thing = &page->things[page->open[page->depth - 1]];
	size_t used = strlen(thing->text);
	snprintf(thing->text + used, sizeof thing->text - used, "%.*s", size, text);
}

static void page_read(struct page *page)
{
	XML_Parser parser = XML_ParserCreate("UTF-8");
	struct rs_bytes bytes = rs_buffer_bytes(&page->buffer);
	assert_int_equal(page->buffer.failed, RS_OK);
	XML_SetUserData(parser, page);
	XML_SetElementHandler(parser, begin, end);
	XML_SetCharacterDataHandler(parser, characters);
	if (XML_Parse(parser, (const char *)bytes.data, (int)bytes.size, 1) != XML_STATUS_OK)
		fail_msg("%s\n%.*s", XML_ErrorString(XML_GetErrorCode(parser)), (int)bytes.size,
		         (const char *)bytes.data);
	XML_ParserFree(parser);
}

static struct page *page_new(void)
{
	struct page *page = calloc(1, sizeof *page);
	rs_buffer_init(&page->buffer, 1 << 22);
	return page;
}

static void page_free(struct page *page)
{
	rs_buffer_finish(&page->buffer);
	free(page);
}

static const struct thing *find(const struct page *page, const char *element, const char *class,
                                const char *text)
{
	for (size_t i = 0; i < page->count; i++)
		if (strcmp(page->things[i].element, element) == 0 &&
		    (!class || strcmp(page->things[i].class, class) == 0) &&
		    (!text || strcmp(page->things[i].text, text) == 0))
			return &page->things[i];
	fail_msg("no <%s class='%s'> with text '%s'", element, class ? class : "*", text ? text : "*");
	return NULL;
}

static size_t count(const struct page *page, const char *element)
{
	size_t found = 0;
	for (size_t i = 0; i < page->count; i++)
		found += strcmp(page->things[i].element, element) == 0;
	return found;
}

static void test_ticks(void **state)
{
	static const struct {
		double lower, upper, data_lower, data_upper;
		const char *text; /* all ticks */
	} cases[] = {
		{0, 1, 0, 0, "0 0.2 0.4 0.6 0.8 1 "},
		{NAN, NAN, 0.03, 2493, "0 500 1000 1500 2000 2500 "},
		{0, NAN, 0, 7043, "0 2000 4000 6000 8000 "},
		{NAN, NAN, -0.013, 0.021, "-0.02 -0.01 0 0.01 0.02 0.03 "},
		{0.5, 0.9, 0, 0, "0.5 0.6 0.7 0.8 0.9 "},
		{NAN, NAN, 3, 3, "1 2 3 4 5 "},
		{NAN, NAN, INFINITY, -INFINITY, "0 0.2 0.4 0.6 0.8 1 "},
		{NAN, NAN, 0, 3e9, "0 5e+08 1e+09 1.5e+09 2e+09 2.5e+09 3e+09 "},
		{NAN, NAN, 0, 1e-9, "0 2e-10 4e-10 6e-10 8e-10 1e-09 "},
	};
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		const struct rs_axis axis = {"x", cases[c].lower, cases[c].upper};
		struct ticks ticks;
		char text[256] = "";
		ticks_choose(&axis, cases[c].data_lower, cases[c].data_upper, 6, &ticks);
		for (size_t i = 0; i < ticks.count; i++) {
			char *end;
			assert_true(fabs(strtod(ticks.text[i], &end) - ticks.at[i]) <=
			            1e-9 * fabs(ticks.at[i]));
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", ticks.text[i]);
		}
		assert_string_equal(text, cases[c].text);
	}
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
		{"\x01\x1b", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xff", "\xef\xbf\xbd"},
		{"\xe2\x80\xae"
	         "x",
	         "\xef\xbf\xbdx"}, /* right-to-left override */
		{"µm³ é", "µm³ é"},
	};
	char name[NAME_SIZE], longer[3000];
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_buffer out;
		rs_buffer_init(&out, 256);
		rs_plot_escape(&out, cases[c].in);
		rs_buffer_append_u8(&out, 0);
		assert_string_equal((const char *)out.data, cases[c].out);
		rs_buffer_finish(&out);
	}
	text_fit("wavelet-HHL_glcm_InverseDifferenceMomentNormalised", 180, name);
	assert_non_null(strstr(name, "\xe2\x80\xa6"));
	assert_int_equal(strncmp(name, "wavelet-", 8), 0);
	assert_string_equal(name + strlen(name) - 4, "ised");
	assert_true(text_width(name) <= 190);
	memset(longer, 'i', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	text_fit(longer, 1e6, name);
	assert_true(strlen(name) < NAME_SIZE);
}

static void test_chart(void **state)
{
	(void)state;
	static const double x[] = {0, 0.2, 0.4, 1}, y[] = {0, 0.6, 0.8, 1}, lower[] = {0, 0.5, NAN, 1};
	static const double upper[] = {0, 0.7, NAN, 1}, times[] = {0.1, 0.2, 0.2, 0.5, 1, 1, 1},
			    starts[] = {0, 0, 0, 0, 0, 0.4, 0.4};
	const struct rs_chart_layer layers[] = {
		{RS_MARK_BAND, 1, false, NULL, 4, x, NULL, lower, upper},
		{RS_MARK_STEP, 1, false, "<script>&amp;", 4, x, y, NULL, NULL},
		{RS_MARK_LINE, 2, true, "dashed", 4, x, y, NULL, NULL},
		{RS_MARK_POINTS, 9, false, "points", 4, x, y, lower, upper},
		{RS_MARK_TICKS, 3, false, NULL, 4, x, y, NULL, NULL},
		{RS_MARK_BARS, 0, false, "bars", 4, NULL, y, x, upper},
		{RS_MARK_LINE, 2, true, "nothing", 0, NULL, NULL, NULL, NULL},
	};
	const struct rs_risk_row risk[] = {{"all \"of\" them", 1, RS_COUNT(times), times, starts}};
	for (enum rs_names names = RS_NAMES_NONE; names <= RS_NAMES_AT_END; names++) {
		struct page *page = page_new();
		const struct rs_chart chart = {"c",
		                               "<title>",
		                               "a & b",
		                               {"x", 0, 1},
		                               {"y", 0, 1},
		                               layers,
		                               RS_COUNT(layers),
		                               names,
		                               false,
		                               "p < 0.001",
		                               risk,
		                               1};
		rs_chart_draw(&page->buffer, &chart);
		page_read(page);
		assert_string_equal(find(page, "title", NULL, NULL)->text, "<title>");
		assert_string_equal(find(page, "desc", NULL, NULL)->text, "a & b");
		/* A point lies where the axes say. */
		const struct thing *point = NULL;
		for (size_t i = 0; i < page->count && !point; i++)
			if (strcmp(page->things[i].class, "point f2") == 0 && i > 0 &&
			    strcmp(page->things[i].x, find(page, "text", "mid", "0.2")->x) == 0)
				point = &page->things[i];
		assert_non_null(point);
		assert_true(fabs(atof(point->y) + 4 - atof(find(page, "text", "end", "0.6")->y)) < 0.011);
		/* At 0: 5 of them, at 0.2: 4, at 0.4: 2, at 0.6: 1 and two who came after 0.4. */
		static const char *const at_risk[] = {"5", "4", "2", "3"}, *const at[] = {"0", "0.2", "0.4",
		                                                                          "0.6"};
		for (size_t i = 0; i < RS_COUNT(at); i++)
			assert_string_equal(find(page, "text", "mid", at[i])->x,
			                    find(page, "text", "mid", at_risk[i])->x);
		if (names == RS_NAMES_BOTTOM_LEFT)
			find(page, "text", NULL, "<script>&amp;");
		page_free(page);
	}
}

static void test_rows(void **state)
{
	(void)state;
	static const double shap[] = {-1, 0, 0, 0, 0.5, NAN}, shade[] = {0, 1, NAN, 0.5, 2, 0};
	static const struct rs_row rows[] = {
		{"model", "0.83", RS_ROW_SQUARE, 1, 0.83, 0.78, 0.88, 0, NULL, NULL},
		{"control", "NaN", RS_ROW_RING, 0, NAN, 0.4, 0.6, 0, NULL, NULL},
		{"outside", "9", RS_ROW_DIAMOND, 3, 9, NAN, NAN, 0, NULL, NULL},
		{"bar", NULL, RS_ROW_BAR, 2, 0.6, NAN, NAN, 0, NULL, NULL},
	};
	static const struct rs_row swarm[] = {
		{"volume", NULL, RS_ROW_SWARM, 0, NAN, NAN, NAN, 6, shap, shade}};
	struct page *page = page_new();
	const struct rs_rows_chart forest = {"f",  "t",  "d",  {"AUC", 0, 1}, 0.5,
	                                     NULL, NULL, rows, RS_COUNT(rows)};
	rs_rows_draw(&page->buffer, &forest);
	page_read(page);
	double zero = atof(find(page, "text", "mid", "0")->x), one = atof(find(page, "text", "mid", "1")->x);
	double left, right;
	assert_int_equal(sscanf(find(page, "path", "whisker s1", NULL)->path, "M%lf %*fH%lf", &left, &right),
	                 2);
	assert_true(fabs((left - zero) / (one - zero) - 0.78) < 1e-3);
	assert_true(fabs((right - zero) / (one - zero) - 0.88) < 1e-3);
	assert_int_equal(count(page, "circle"), 0); /* the control has no value */
	page_free(page);
	page = page_new();
	const struct rs_rows_chart bees = {"s", "t", "d", {"SHAP", NAN, NAN}, 0, "low", "high", swarm, 1};
	rs_rows_draw(&page->buffer, &bees);
	page_read(page);
	assert_int_equal(count(page, "circle"), 5);
	assert_string_equal(find(page, "circle", "h0", NULL)->x, find(page, "text", "mid", "-1")->x);
	find(page, "circle", "h9", NULL);
	page_free(page);
}

static void test_matrix(void **state)
{
	(void)state;
	static const char *const names[] = {"no", "yes & more"};
	static const uint64_t counts[] = {90, 10, 0, 0};
	struct page *page = page_new();
	const struct rs_counts_chart chart = {"m", "t", "d", "was", "said", 2, names, counts};
	rs_counts_draw(&page->buffer, &chart);
	page_read(page);
	assert_int_equal(count(page, "rect"), 4);
	find(page, "text", NULL, "90 %");
	find(page, "text", NULL, "0 %");
	page_free(page);
}

/* A hundred thousand subjects: as many points as a screen can show. */
static void test_large(void **state)
{
	(void)state;
	size_t many = 100000;
	double *x = calloc(many, sizeof *x), *y = calloc(many, sizeof *y);
	for (size_t i = 0; i < many; i++) {
		x[i] = (double)i;
		y[i] = 1 - (double)i / (double)many;
	}
	struct page *page = page_new();
	const struct rs_chart_layer layers[] = {{RS_MARK_STEP, 1, false, NULL, many, x, y, NULL, NULL},
	                                        {RS_MARK_TICKS, 1, false, NULL, many, x, y, NULL, NULL}};
	const struct rs_chart chart = {"c", "t",           "d",  {"x", 0, NAN}, {"y", 0, 1}, layers,
	                               2,   RS_NAMES_NONE, true, NULL,          NULL,        0};
	rs_chart_draw(&page->buffer, &chart);
	assert_true(page->buffer.size < 80000);
	page_read(page);
	page_free(page);
	free(x);
	free(y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ticks), cmocka_unit_test(test_names),  cmocka_unit_test(test_chart),
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_matrix), cmocka_unit_test(test_large),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("plot", tests, NULL, NULL);
}
