/*
 * SQL functions that draw an offer's link as a QR code.
 */
#include "compat.h"

#include <png.h>
#include <qrencode.h>

#include "common/base64.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "offer_functions.h"
#include "qr.h"
#include "report.h"

#define QUIET_ZONE	  4 /* modules around the symbol that ISO/IEC 18004 demands */
#define PNG_MAX_SCALE 32

static void
release_symbol(void *arg)
{
	QRcode_free(*(QRcode **) arg);
}

/* A symbol that goes with CurrentMemoryContext. */
static QRcode *
encode(const char *link, QRecLevel level)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	QRcode **symbol = palloc0(sizeof(QRcode *));

	callback->func = release_symbol;
	callback->arg = symbol;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	*symbol = QRcode_encodeString8bit(link, 0, level);
	if (*symbol == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a link of %zu characters does not fit into a QR code", strlen(link)),
				 errhint("Use by => 'reference'.")));
	return *symbol;
}

static bool
is_dark(const QRcode *symbol, int x, int y)
{
	return x >= 0 && y >= 0 && x < symbol->width && y < symbol->width &&
		   (symbol->data[y * symbol->width + x] & 1);
}

/* One path whose subpaths are the horizontal runs of dark modules. */
static char *
draw_svg(const QRcode *symbol, const char *label)
{
	StringInfoData svg;
	int size = symbol->width + 2 * QUIET_ZONE;

	initStringInfo(&svg);
	appendStringInfo(&svg,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
					 "width=\"%d\" height=\"%d\" shape-rendering=\"crispEdges\" role=\"img\" "
					 "aria-label=\"%s\">"
					 "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
					 size, size, size * 6, size * 6, label, size, size);
	for (int y = 0; y < symbol->width; y++)
		for (int x = 0; x < symbol->width; x++)
		{
			int run = 0;

			while (is_dark(symbol, x + run, y))
				run++;
			if (run > 0)
				appendStringInfo(&svg, "M%d %dh%dv1h-%dz", x + QUIET_ZONE, y + QUIET_ZONE, run,
								 run);
			x += run;
		}
	appendStringInfoString(&svg, "\"/></svg>");
	return svg.data;
}

/* On a screen nothing gets lost: the smaller symbol is the better one. */
char *
vci_qr_svg(const char *link, const char *label)
{
	return draw_svg(encode(link, QR_ECLEVEL_L), label);
}

/* Two rows a line, light modules drawn: right on the usual dark terminal. */
static char *
draw_terminal(const QRcode *symbol)
{
	static const char *const blocks[] = {"\u2588", "\u2580", "\u2584", " "};
	StringInfoData text;

	initStringInfo(&text);
	for (int y = -QUIET_ZONE; y < symbol->width + QUIET_ZONE; y += 2)
	{
		if (text.len > 0)
			appendStringInfoChar(&text, '\n');
		for (int x = -QUIET_ZONE; x < symbol->width + QUIET_ZONE; x++)
			appendStringInfoString(
				&text,
				blocks[(is_dark(symbol, x, y) ? 2 : 0) + (is_dark(symbol, x, y + 1) ? 1 : 0)]);
	}
	return text.data;
}

static bytea *
draw_png(const QRcode *symbol, int scale)
{
	int size = (symbol->width + 2 * QUIET_ZONE) * scale;
	char *pixels = palloc((Size) size * size);
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = size, .height = size, .format = PNG_FORMAT_GRAY};
	png_alloc_size_t len = 0;
	bytea *png;

	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++)
			pixels[y * size + x] =
				is_dark(symbol, x / scale - QUIET_ZONE, y / scale - QUIET_ZONE) ? 0 : (char) 0xff;
	if (!png_image_write_get_memory_size(image, len, 0, pixels, 0, NULL))
		elog(ERROR, "libpng: %s", image.message);
	png = palloc(len + VARHDRSZ);
	if (!png_image_write_to_memory(&image, VARDATA(png), &len, 0, pixels, 0, NULL))
		elog(ERROR, "libpng: %s", image.message);
	SET_VARSIZE(png, len + VARHDRSZ);
	pfree(pixels);
	return png;
}

static char *
base64_of(const bytea *data)
{
	int len = VARSIZE(data) - VARHDRSZ;
	int size = pg_b64_enc_len(len);
	char *text = palloc(size + 1);
	int written = pg_b64_encode((void *) VARDATA(data), len, text, size);

	if (written < 0)
		elog(ERROR, "base64 encoding failed");
	text[written] = '\0';
	return text;
}

static QRcode *
symbol_of_offer(int64 offer_id, const char *by)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, offer_id, false, &issuer);
	char *link = vci_offer_link(issuer, offer, vci_link_kind_by_name(by));

	vci_store_close(store);
	return encode(link, QR_ECLEVEL_M);
}

PG_FUNCTION_INFO_V1(vci_offer_qr);

/* openid4vci.vci_offer_qr(offer_id bigint, format text, by text) returns text */
Datum
vci_offer_qr(PG_FUNCTION_ARGS)
{
	char *format = text_to_cstring(PG_GETARG_TEXT_PP(1));
	QRcode *symbol = symbol_of_offer(PG_GETARG_INT64(0), text_to_cstring(PG_GETARG_TEXT_PP(2)));
	char *drawing = NULL;

	if (strcmp(format, "svg") == 0)
		drawing = draw_svg(symbol, "QR code of a credential offer");
	else if (strcmp(format, "terminal") == 0)
		drawing = draw_terminal(symbol);
	else if (strcmp(format, "png") == 0)
		drawing = psprintf("data:image/png;base64,%s", base64_of(draw_png(symbol, 8)));
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a QR code can't be drawn as \"%s\"", format),
						errhint("Formats are svg, terminal and png (a data: URI); "
								"vci_offer_qr_png returns a PNG file.")));
	PG_RETURN_TEXT_P(cstring_to_text(drawing));
}

PG_FUNCTION_INFO_V1(vci_offer_qr_png);

/* openid4vci.vci_offer_qr_png(offer_id bigint, by text, scale integer) returns bytea */
Datum
vci_offer_qr_png(PG_FUNCTION_ARGS)
{
	int32 scale = PG_GETARG_INT32(2);
	QRcode *symbol;

	if (scale < 1 || scale > PNG_MAX_SCALE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("scale must be from 1 to %d pixels a module, it is %d",
							   PNG_MAX_SCALE, scale)));
	symbol = symbol_of_offer(PG_GETARG_INT64(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_BYTEA_P(draw_png(symbol, scale));
}
