#include "consent_words.h"

static const VciConsentWords languages[] = {
	{
		.language = "en",
		.title = "Add to your wallet",
		.request = "{wallet} asks {issuer} for a credential.",
		.returns_to = "You will return to",
		.contents = "What your wallet will get",
		.always_included = "always included",
		.identify = "Confirm who you are",
		.username = "User name",
		.password = "Password",
		.optional = "optional",
		.caution = "Approve only if you started this yourself in {wallet}.",
		.approve = "Approve",
		.deny = "Deny",
		.problem = "Error",
		.not_recognised = "We did not recognise you by what you entered. Check it and try again.",
		.incomplete = "Something is missing. Fill in every field that is not marked as optional.",
		.unusable_title = "This link can’t be used",
		.unusable = "Go back to your wallet and start again there.",
		.later_title = "Not possible right now",
		.later = "Please try again later.",
	},
	{
		.language = "es",
		.title = "Añadir a su billetera",
		.request = "{wallet} solicita una credencial a {issuer}.",
		.returns_to = "Volverá a",
		.contents = "Lo que recibirá su billetera",
		.always_included = "siempre incluido",
		.identify = "Confirme quién es",
		.username = "Nombre de usuario",
		.password = "Contraseña",
		.optional = "opcional",
		.caution = "Apruebe solo si usted mismo inició esto en {wallet}.",
		.approve = "Aprobar",
		.deny = "Rechazar",
		.problem = "Error",
		.not_recognised =
			"No le hemos reconocido con los datos introducidos. Revíselos e inténtelo "
			"de nuevo.",
		.incomplete = "Falta algún dato. Rellene todos los campos que no sean opcionales.",
		.unusable_title = "Este enlace no se puede usar",
		.unusable = "Vuelva a su billetera y empiece de nuevo allí.",
		.later_title = "No es posible en este momento",
		.later = "Inténtelo de nuevo más tarde.",
	},
	{
		.language = "fr",
		.title = "Ajouter à votre portefeuille",
		.request = "{wallet} demande une attestation à {issuer}.",
		.returns_to = "Vous reviendrez à",
		.contents = "Ce que votre portefeuille recevra",
		.always_included = "toujours inclus",
		.identify = "Confirmez votre identité",
		.username = "Nom d’utilisateur",
		.password = "Mot de passe",
		.optional = "facultatif",
		.caution = "N’approuvez que si vous avez vous-même lancé cette demande dans {wallet}.",
		.approve = "Approuver",
		.deny = "Refuser",
		.problem = "Erreur",
		.not_recognised = "Nous ne vous avons pas reconnu d’après votre saisie. Vérifiez-la et "
						  "réessayez.",
		.incomplete = "Il manque une information. Remplissez tous les champs qui ne sont pas "
					  "facultatifs.",
		.unusable_title = "Ce lien n’est pas utilisable",
		.unusable = "Retournez à votre portefeuille et recommencez.",
		.later_title = "Impossible pour le moment",
		.later = "Veuillez réessayer plus tard.",
	},
	{
		.language = "pt",
		.title = "Adicionar à sua carteira",
		.request = "{wallet} solicita uma credencial a {issuer}.",
		.returns_to = "Você voltará para",
		.contents = "O que a sua carteira receberá",
		.always_included = "sempre incluído",
		.identify = "Confirme quem você é",
		.username = "Nome de usuário",
		.password = "Senha",
		.optional = "opcional",
		.caution = "Aprove somente se você mesmo iniciou isto em {wallet}.",
		.approve = "Aprovar",
		.deny = "Recusar",
		.problem = "Erro",
		.not_recognised = "Não reconhecemos você pelos dados informados. Confira-os e tente "
						  "novamente.",
		.incomplete = "Falta algum dado. Preencha todos os campos que não são opcionais.",
		.unusable_title = "Este link não pode ser usado",
		.unusable = "Volte à sua carteira e comece de novo por lá.",
		.later_title = "Não é possível agora",
		.later = "Tente novamente mais tarde.",
	},
	{
		.language = "ar",
		.right_to_left = true,
		.title = "إضافة إلى محفظتك",
		.request = "يطلب تطبيق {wallet} وثيقة اعتماد من {issuer}.",
		.returns_to = "ستعود إلى",
		.contents = "ما ستحصل عليه محفظتك",
		.always_included = "مُضمَّن دائمًا",
		.identify = "أكّد هويتك",
		.username = "اسم المستخدم",
		.password = "كلمة المرور",
		.optional = "اختياري",
		.caution = "لا توافق إلا إذا بدأت هذا الطلب بنفسك في {wallet}.",
		.approve = "موافقة",
		.deny = "رفض",
		.problem = "خطأ",
		.not_recognised = "لم نتعرّف عليك من البيانات التي أدخلتها. تحقّق منها وحاول مرة أخرى.",
		.incomplete = "هناك بيانات ناقصة. املأ كل حقل غير اختياري.",
		.unusable_title = "لا يمكن استخدام هذا الرابط",
		.unusable = "ارجع إلى محفظتك وابدأ من جديد من هناك.",
		.later_title = "غير ممكن في الوقت الحالي",
		.later = "يُرجى المحاولة مرة أخرى لاحقًا.",
	},
};

size_t
vci_consent_language_count(void)
{
	return sizeof(languages) / sizeof(languages[0]);
}

const VciConsentWords *
vci_consent_words(size_t number)
{
	return &languages[number];
}
