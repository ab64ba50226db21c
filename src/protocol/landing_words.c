#include "landing_words.h"

#include <stddef.h>
#include <string.h>

static const VciLandingWords languages[] = {
	{
		.language = "en",
		.offers = "{issuer} has this for you:",
		.this_device = "With a wallet on this device",
		.open = "Open my wallet",
		.nothing_happens = "Does nothing happen? Try",
		.plain_link = "this link",
		.other_device = "With a wallet on another device",
		.scan = "Open the wallet there and scan this code with it.",
		.qr_label = "QR code of this offer",
		.tx_code =
			"Your wallet will ask for a code. {issuer} gives it to you in another way, not on "
			"this page. Tell it to nobody, whoever asks.",
		.login = "Your wallet will ask you to log in with {issuer}.",
		.no_wallet = "No wallet yet?",
		.get_wallet =
			"A wallet is an app that keeps your documents. Install one, then open this page "
			"again.",
		.get_wallet_link = "Get a wallet",
		.ask_wallet = "A wallet is an app that keeps your documents. Ask {issuer} which one to "
					  "install, then open this page again.",
		.until = "Use it before {time}.",
		.caution = "This page is for you alone. Do not pass its address on.",
		.notices =
			{
				[VCI_LANDING_LOCKED] =
					{"Too many wrong codes",
					 "A wrong code was entered too often. Ask {issuer} for a new "
					 "code, then open this page again."},
				[VCI_LANDING_WAITING] = {"Your document is being prepared",
										 "Your wallet has asked {issuer} for it. Open your wallet "
										 "later to get it. There is nothing more to do here."},
				[VCI_LANDING_USED] =
					{"Already used",
					 "A wallet has used this link. Look in your wallet. If it was not "
					 "yours, tell {issuer} at once."},
				[VCI_LANDING_EXPIRED] =
					{"Too late", "The time to use this link is over. Ask {issuer} for a new "
								 "one."},
				[VCI_LANDING_UNAVAILABLE] =
					{"No longer available", "This offer was withdrawn. If you do not know why, ask "
											"{issuer}."},
				[VCI_LANDING_REPLACED] =
					{"There is a newer link",
					 "This link was replaced. Use the last one that {issuer} sent "
					 "you, or ask for a new one."},
				[VCI_LANDING_UNKNOWN] =
					{"This link is not valid",
					 "Perhaps a part of it is missing. Open it just as you got it, "
					 "or ask {issuer} for a new one."},
			},
	},
	{
		.language = "es",
		.offers = "{issuer} tiene esto para usted:",
		.this_device = "Con una billetera en este dispositivo",
		.open = "Abrir mi billetera",
		.nothing_happens = "¿No ocurre nada? Pruebe con",
		.plain_link = "este enlace",
		.other_device = "Con una billetera en otro dispositivo",
		.scan = "Abra allí la billetera y escanee con ella este código.",
		.qr_label = "Código QR de esta oferta",
		.tx_code =
			"Su billetera le pedirá un código. {issuer} se lo da por otra vía, no en esta página. "
			"No se lo diga a nadie, sea quien sea.",
		.login = "Su billetera le pedirá que inicie sesión en {issuer}.",
		.no_wallet = "¿Aún no tiene billetera?",
		.get_wallet =
			"Una billetera es una aplicación que guarda sus documentos. Instale una y vuelva a "
			"abrir esta página.",
		.get_wallet_link = "Obtener una billetera",
		.ask_wallet =
			"Una billetera es una aplicación que guarda sus documentos. Pregunte a {issuer} "
			"cuál instalar y vuelva a abrir esta página.",
		.until = "Úselo antes de {time}.",
		.caution = "Esta página es solo para usted. No comparta su dirección.",
		.notices =
			{
				[VCI_LANDING_LOCKED] = {"Demasiados códigos erróneos",
										"Se introdujo un código erróneo demasiadas veces. Pida a "
										"{issuer} un código nuevo y vuelva a abrir esta página."},
				[VCI_LANDING_WAITING] =
					{"Su documento se está preparando",
					 "Su billetera lo ha pedido a {issuer}. Abra más tarde su "
					 "billetera para recibirlo. Aquí no hay nada más que hacer."},
				[VCI_LANDING_USED] =
					{"Ya se ha usado",
					 "Una billetera ha usado este enlace. Mire en su billetera. Si no "
					 "fue la suya, avise enseguida a {issuer}."},
				[VCI_LANDING_EXPIRED] =
					{"Demasiado tarde",
					 "El plazo para usar este enlace ha terminado. Pida uno nuevo a "
					 "{issuer}."},
				[VCI_LANDING_UNAVAILABLE] =
					{"Ya no está disponible",
					 "Esta oferta se ha retirado. Si no sabe por qué, pregunte a "
					 "{issuer}."},
				[VCI_LANDING_REPLACED] =
					{"Hay un enlace más nuevo",
					 "Este enlace se ha sustituido. Use el último que le envió "
					 "{issuer} o pida uno nuevo."},
				[VCI_LANDING_UNKNOWN] =
					{"Este enlace no es válido",
					 "Quizá falte una parte. Ábralo tal como lo recibió o pida uno "
					 "nuevo a {issuer}."},
			},
	},
	{
		.language = "fr",
		.offers = "{issuer} a ceci pour vous :",
		.this_device = "Avec un portefeuille sur cet appareil",
		.open = "Ouvrir mon portefeuille",
		.nothing_happens = "Rien ne se passe ? Essayez",
		.plain_link = "ce lien",
		.other_device = "Avec un portefeuille sur un autre appareil",
		.scan = "Ouvrez-y le portefeuille et scannez ce code avec lui.",
		.qr_label = "Code QR de cette offre",
		.tx_code =
			"Votre portefeuille demandera un code. {issuer} vous le donne par une autre voie, pas "
			"sur cette page. Ne le dites à personne, quel que soit le demandeur.",
		.login = "Votre portefeuille vous demandera de vous connecter auprès de {issuer}.",
		.no_wallet = "Pas encore de portefeuille ?",
		.get_wallet =
			"Un portefeuille est une application qui conserve vos documents. Installez-en un, "
			"puis rouvrez cette page.",
		.get_wallet_link = "Obtenir un portefeuille",
		.ask_wallet = "Un portefeuille est une application qui conserve vos documents. Demandez à "
					  "{issuer} lequel installer, puis rouvrez cette page.",
		.until = "À utiliser avant le {time}.",
		.caution = "Cette page n’est que pour vous. Ne transmettez pas son adresse.",
		.notices =
			{
				[VCI_LANDING_LOCKED] =
					{"Trop de codes erronés",
					 "Un code erroné a été saisi trop souvent. Demandez un nouveau "
					 "code à {issuer}, puis rouvrez cette page."},
				[VCI_LANDING_WAITING] =
					{"Votre document est en préparation",
					 "Votre portefeuille l’a demandé à {issuer}. Ouvrez-le plus tard "
					 "pour le recevoir. Il n’y a plus rien à faire ici."},
				[VCI_LANDING_USED] = {"Déjà utilisé",
									  "Un portefeuille a utilisé ce lien. Regardez dans votre "
									  "portefeuille. Si ce n’était pas le vôtre, prévenez aussitôt "
									  "{issuer}."},
				[VCI_LANDING_EXPIRED] = {"Trop tard",
										 "Le délai pour utiliser ce lien est passé. Demandez-en un "
										 "nouveau à {issuer}."},
				[VCI_LANDING_UNAVAILABLE] =
					{"Plus disponible", "Cette offre a été retirée. Si vous ne savez pas pourquoi, "
										"demandez à {issuer}."},
				[VCI_LANDING_REPLACED] =
					{"Il y a un lien plus récent",
					 "Ce lien a été remplacé. Utilisez le dernier que {issuer} vous "
					 "a envoyé, ou demandez-en un nouveau."},
				[VCI_LANDING_UNKNOWN] =
					{"Ce lien n’est pas valable",
					 "Il en manque peut-être une partie. Ouvrez-le tel que vous "
					 "l’avez reçu, ou demandez-en un nouveau à {issuer}."},
			},
	},
	{
		.language = "pt",
		.offers = "{issuer} tem isto para você:",
		.this_device = "Com uma carteira neste aparelho",
		.open = "Abrir minha carteira",
		.nothing_happens = "Não acontece nada? Tente",
		.plain_link = "este link",
		.other_device = "Com uma carteira em outro aparelho",
		.scan = "Abra a carteira nele e escaneie este código com ela.",
		.qr_label = "Código QR desta oferta",
		.tx_code =
			"Sua carteira pedirá um código. {issuer} o dá a você por outro meio, não nesta página. "
			"Não o diga a ninguém, seja quem for.",
		.login = "Sua carteira pedirá que você entre em {issuer}.",
		.no_wallet = "Ainda não tem carteira?",
		.get_wallet =
			"Uma carteira é um aplicativo que guarda seus documentos. Instale uma e abra esta "
			"página de novo.",
		.get_wallet_link = "Obter uma carteira",
		.ask_wallet =
			"Uma carteira é um aplicativo que guarda seus documentos. Pergunte a {issuer} qual "
			"instalar e abra esta página de novo.",
		.until = "Use antes de {time}.",
		.caution = "Esta página é só para você. Não passe o endereço dela adiante.",
		.notices =
			{
				[VCI_LANDING_LOCKED] =
					{"Códigos errados demais",
					 "Um código errado foi digitado vezes demais. Peça um código novo "
					 "a {issuer} e abra esta página de novo."},
				[VCI_LANDING_WAITING] =
					{"Seu documento está sendo preparado",
					 "Sua carteira já o pediu a {issuer}. Abra a carteira mais tarde "
					 "para recebê-lo. Não há mais nada a fazer aqui."},
				[VCI_LANDING_USED] =
					{"Já foi usado",
					 "Uma carteira usou este link. Veja na sua carteira. Se não foi a "
					 "sua, avise {issuer} imediatamente."},
				[VCI_LANDING_EXPIRED] =
					{"Tarde demais",
					 "O prazo para usar este link acabou. Peça um novo a {issuer}."},
				[VCI_LANDING_UNAVAILABLE] =
					{"Não está mais disponível",
					 "Esta oferta foi retirada. Se não souber o motivo, pergunte "
					 "a {issuer}."},
				[VCI_LANDING_REPLACED] =
					{"Há um link mais novo",
					 "Este link foi substituído. Use o último que {issuer} enviou a "
					 "você ou peça um novo."},
				[VCI_LANDING_UNKNOWN] =
					{"Este link não é válido",
					 "Talvez falte uma parte dele. Abra-o exatamente como o recebeu "
					 "ou peça um novo a {issuer}."},
			},
	},
	{
		.language = "ar",
		.offers = "لديك من {issuer}:",
		.this_device = "بمحفظة على هذا الجهاز",
		.open = "افتح محفظتي",
		.nothing_happens = "لم يحدث شيء؟ جرّب",
		.plain_link = "هذا الرابط",
		.other_device = "بمحفظة على جهاز آخر",
		.scan = "افتح المحفظة على ذلك الجهاز وامسح بها هذا الرمز.",
		.qr_label = "رمز الاستجابة السريعة لهذا العرض",
		.tx_code =
			"ستطلب محفظتك رمزًا. تحصل عليه من {issuer} بطريقة أخرى، وليس في هذه الصفحة. لا تخبر به "
			"أحدًا، أيًّا كان السائل.",
		.login = "ستطلب منك محفظتك تسجيل الدخول لدى {issuer}.",
		.no_wallet = "ليست لديك محفظة بعد؟",
		.get_wallet = "المحفظة تطبيق يحفظ وثائقك. ثبّت محفظة، ثم افتح هذه الصفحة من جديد.",
		.get_wallet_link = "احصل على محفظة",
		.ask_wallet =
			"المحفظة تطبيق يحفظ وثائقك. اسأل {issuer} أيّ محفظة تثبّت، ثم افتح هذه الصفحة من "
			"جديد.",
		.until = "استخدمه قبل {time}.",
		.caution = "هذه الصفحة لك وحدك. لا تعطِ عنوانها لأحد.",
		.notices =
			{
				[VCI_LANDING_LOCKED] =
					{"رموز خاطئة كثيرة",
					 "أُدخل رمز خاطئ مرات كثيرة. اطلب رمزًا جديدًا من {issuer}، ثم افتح "
					 "هذه الصفحة من جديد."},
				[VCI_LANDING_WAITING] =
					{"وثيقتك قيد الإعداد",
					 "طلبتها محفظتك من {issuer}. افتح محفظتك لاحقًا لتحصل عليها. لا شيء "
					 "آخر تفعله هنا."},
				[VCI_LANDING_USED] =
					{"استُخدم من قبل",
					 "استخدمت محفظة هذا الرابط. انظر في محفظتك. وإن لم تكن محفظتك، فأبلغ "
					 "{issuer} فورًا."},
				[VCI_LANDING_EXPIRED] =
					{"فات الأوان", "انتهى وقت استخدام هذا الرابط. اطلب رابطًا جديدًا من {issuer}."},
				[VCI_LANDING_UNAVAILABLE] =
					{"لم يعد متاحًا", "سُحب هذا العرض. إن كنت لا تعرف السبب، فاسأل {issuer}."},
				[VCI_LANDING_REPLACED] =
					{"هناك رابط أحدث",
					 "حلّ رابط آخر محلّ هذا الرابط. استخدم آخر رابط وصلك من {issuer}، أو "
					 "اطلب رابطًا جديدًا."},
				[VCI_LANDING_UNKNOWN] =
					{"هذا الرابط غير صالح",
					 "ربما ينقصه جزء. افتحه كما وصلك تمامًا، أو اطلب رابطًا جديدًا من "
					 "{issuer}."},
			},
	},
};

const VciLandingWords *
vci_landing_words(const char *language)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (strcmp(languages[i].language, language) == 0)
			return &languages[i];
	return &languages[0];
}
