/* Contours of which everybody can count the pixels: rectangles, triangles, holes, keyholes, edges through centres. */
#include "image_test.h"
#include "polygon.h"

#define WIDTH 12
#define HEIGHT 9

static struct raster raster;

static int make(void **state)
{
	struct rs_error err;
	(void)state;
	return raster_init(&raster, WIDTH, HEIGHT, &err) == RS_OK ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	raster_finish(&raster);
	return 0;
}

static void add(const double (*points)[3], size_t count)
{
	struct rs_error err;
	assert_int_equal(raster_add(&raster, points, 0, 1, count, &err), RS_OK);
}

/* Rows as text, '#' inside; rows that were not touched are outside. */
static void expect(const char *const rows[HEIGHT])
{
	raster_resolve(&raster);
	for (size_t v = 0; v < HEIGHT; v++)
		for (size_t u = 0; u < WIDTH; u++) {
			bool inside = raster.cells[v * WIDTH + u] != 0;
			if (inside != (rows[v][u] == '#'))
				fail_msg("pixel %zu %zu is %s", u, v, inside ? "inside" : "outside");
		}
	raster_clear(&raster);
	for (size_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(raster.cells[i], 0);
}

static void borders_between_pixels(void **state)
{
	static const double square[][3] = {{1.5, 1.5, 0}, {5.5, 1.5, 0}, {5.5, 4.5, 0}, {1.5, 4.5, 0}};
	static const double triangle[][3] = {{0.5, 7.75, 0}, {10.5, 7.75, 0}, {10.5, 2.75, 0}};
	static const char *const squares[HEIGHT] = {"............", "............", "..####......",
	                                            "..####......", "..####......", "............",
	                                            "............", "............", "............"};
	/* The hypotenuse is u = 0.5 + 2 (7.75 - v). */
	static const char *const triangles[HEIGHT] = {"............", "............", "............",
	                                              "..........#.", "........###.", "......#####.",
	                                              "....#######.", "..#########.", "............"};
	(void)state;
	add(square, 4);
	expect(squares);
	add(triangle, 3);
	expect(triangles);
}

/* All four sides of the square belong to it, as all tools do that write contours through centres. */
static void borders_through_centres(void **state)
{
	static const double square[][3] = {{2, 2, 0}, {5, 2, 0}, {5, 4, 0}, {2, 4, 0}};
	static const double noisy[][3] = {
		{2.000001, 2.000002, 0}, {4.999999, 1.999999, 0}, {5.000003, 3.999998, 0}, {1.999997, 4, 0}};
	static const double diamond[][3] = {{6, 1, 0}, {9, 4, 0}, {6, 7, 0}, {3, 4, 0}};
	static const char *const squares[HEIGHT] = {"............", "............", "..####......",
	                                            "..####......", "..####......", "............",
	                                            "............", "............", "............"};
	static const char *const diamonds[HEIGHT] = {"............", "......#.....", ".....###....",
	                                             "....#####...", "...#######..", "....#####...",
	                                             ".....###....", "......#.....", "............"};
	(void)state;
	add(square, 4);
	expect(squares);
	add(noisy, 4);
	expect(squares);
	add(diamond, 4);
	expect(diamonds);
}

static const char *const ring[HEIGHT] = {"............", ".########...", ".########...",
                                         ".##...###...", ".##...###...", ".########...",
                                         "............", "............", "............"};
static const double outer[][3] = {{0.5, 0.5, 0}, {8.5, 0.5, 0}, {8.5, 5.5, 0}, {0.5, 5.5, 0}};
static const double inner[][3] = {{2.5, 2.5, 0}, {5.5, 2.5, 0}, {5.5, 4.5, 0}, {2.5, 4.5, 0}};

static void holes_by_a_second_contour(void **state)
{
	(void)state;
	add(outer, 4);
	add(inner, 4);
	expect(ring);
	add(inner, 4);
	add(outer, 4);
	expect(ring);
}

/* The channel runs slanted, and through a centre: pixels on it are of the region. */
static void holes_by_a_keyhole(void **state)
{
	static const double keyhole[][3] = {{0.5, 0.5, 0}, {2.5, 2.5, 0}, {5.5, 2.5, 0}, {5.5, 4.5, 0},
	                                    {2.5, 4.5, 0}, {2.5, 2.5, 0}, {0.5, 0.5, 0}, {8.5, 0.5, 0},
	                                    {8.5, 5.5, 0}, {0.5, 5.5, 0}};
	static const double slanted[][3] = {{0.5, 0.5, 0}, {2.5, 4.5, 0}, {5.5, 4.5, 0}, {5.5, 2.5, 0},
	                                    {2.5, 2.5, 0}, {2.5, 4.5, 0}, {0.5, 0.5, 0}, {8.5, 0.5, 0},
	                                    {8.5, 5.5, 0}, {0.5, 5.5, 0}};
	(void)state;
	add(keyhole, 10);
	expect(ring);
	add(slanted, 10);
	expect(ring);
}

static void parts_beyond_the_slice_are_cut(void **state)
{
	static const double large[][3] = {{-1e6, -1e6, 0}, {1e6, -1e6, 0}, {1e6, 3.5, 0}, {-1e6, 3.5, 0}};
	static const double beside[][3] = {{20, 1, 0}, {30, 1, 0}, {30, 5, 0}};
	static const char *const half[HEIGHT] = {"############", "############", "############",
	                                         "############", "............", "............",
	                                         "............", "............", "............"};
	static const char *const none[HEIGHT] = {"............", "............", "............",
	                                         "............", "............", "............",
	                                         "............", "............", "............"};
	(void)state;
	add(large, 4);
	expect(half);
	add(beside, 3);
	expect(none);
}

/* A regular polygon of many corners is a disc: the pixels within its radius. */
static void a_disc_has_the_pixels_within_its_radius(void **state)
{
	enum { CORNERS = 20000 };
	static double points[CORNERS][3];
	const double pi = 3.14159265358979323846, radius = 3.9;
	(void)state;
	for (size_t i = 0; i < CORNERS; i++) {
		points[i][0] = 5.25 + radius * cos(2 * pi * (double)i / CORNERS);
		points[i][1] = 4.125 + radius * sin(2 * pi * (double)i / CORNERS);
	}
	add((const double(*)[3])points, CORNERS);
	raster_resolve(&raster);
	for (size_t v = 0; v < HEIGHT; v++)
		for (size_t u = 0; u < WIDTH; u++)
			assert_int_equal(raster.cells[v * WIDTH + u],
			                 hypot((double)u - 5.25, (double)v - 4.125) < radius);
	raster_clear(&raster);
}

static void endless_work_is_refused(void **state)
{
	static const double flat[][3] = {{-1e6, 1, 0}, {1e6, 1, 0}, {1e6, 2, 0}};
	struct raster wide;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(raster_init(&wide, 1000, 4, &err), RS_OK);
	wide.work = WORK_MAX - 900;
	assert_int_equal(raster_add(&wide, flat, 0, 1, 3, &err), RS_TOO_LARGE);
	assert_non_null(strstr(err.message, "busy"));
	raster_finish(&wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders_between_pixels),
		cmocka_unit_test(borders_through_centres),
		cmocka_unit_test(holes_by_a_second_contour),
		cmocka_unit_test(holes_by_a_keyhole),
		cmocka_unit_test(parts_beyond_the_slice_are_cut),
		cmocka_unit_test(a_disc_has_the_pixels_within_its_radius),
		cmocka_unit_test(endless_work_is_refused),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
