package shop

import (
	"fmt"
	"strings"
)

// country is where customers live: how they are called, and telephone numbers that regulators reserve for fiction, so
// that none belongs to a living person.
type country struct {
	code, language string
	weight         float64
	utcOffset      int // hours; the shop's data needs no daylight-saving time
	cities         []string
	first, last    []string
	phone          func(n int) (string, bool) // the n-th reserved number, unique; false beyond the range
}

var countries = []country{
	{
		"DE", "de", 28, 1, words("Berlin|Hamburg|Köln|Leipzig|München|Bremen|Freiburg|Dresden"),
		words("Anna|Lena|Emma|Mia|Hannah|Clara|Greta|Marie|Frieda|Ida|Jonas|Felix|Paul|Lukas|Max|Anton|Emil|Theo|Karl|Moritz"),
		words("Müller|Schmidt|Schneider|Fischer|Weber|Meyer|Wagner|Becker|Hoffmann|Koch|Richter|Klein|Wolf|Neumann|Schwarz|Braun|Krüger|Hartmann|Lange|Vogel"),
		dramaGermany,
	},
	{
		"GB", "en", 22, 0, words("London|Leeds|Bristol|Edinburgh|Cardiff|Manchester|Norwich|Belfast"),
		words("Olivia|Amelia|Isla|Ava|Lily|Grace|Freya|Ada|Rosie|Nora|Oliver|George|Arthur|Noah|Leo|Harry|Oscar|Alfie|Henry|Jack"),
		words("Smith|Jones|Taylor|Brown|Wilson|Evans|Thomas|Roberts|Walker|Wright|Green|Hall|Wood|Harris|Clarke|Turner|Hill|Moore|Cooper|Ward"),
		dramaBritain,
	},
	{
		"FR", "fr", 16, 1, words("Paris|Lyon|Nantes|Lille|Bordeaux|Rennes|Toulouse|Marseille"),
		words("Louise|Jade|Alice|Chloé|Inès|Léa|Manon|Camille|Zoé|Juliette|Gabriel|Raphaël|Louis|Jules|Adam|Hugo|Arthur|Nathan|Paul|Théo"),
		words("Martin|Bernard|Dubois|Thomas|Robert|Richard|Petit|Durand|Leroy|Moreau|Simon|Laurent|Lefebvre|Michel|Garcia|David|Bertrand|Roux|Vincent|Fournier"),
		dramaFrance,
	},
	{
		"US", "en", 14, -5, words("New York|Boston|Chicago|Portland|Austin|Denver|Seattle|Atlanta"),
		words("Emma|Olivia|Sophia|Mia|Harper|Evelyn|Abigail|Ella|Scarlett|Hazel|Liam|Noah|Ethan|Mason|Logan|Lucas|Aiden|James|Wyatt|Owen"),
		words("Johnson|Williams|Davis|Miller|Anderson|Jackson|White|Martin|Thompson|Garcia|Martinez|Robinson|Clark|Lewis|Lee|Young|King|Scott|Baker|Nelson"),
		dramaAmerica,
	},
	{
		"NL", "nl", 8, 1, words("Amsterdam|Utrecht|Rotterdam|Groningen|Eindhoven"),
		words("Emma|Julia|Sanne|Lotte|Fenna|Noor|Saar|Daan|Sem|Bram|Lars|Finn|Thijs|Jesse|Ruben"),
		words("de Jong|Jansen|de Vries|van Dijk|Bakker|Visser|Smit|Meijer|Mulder|de Boer|Bos|Vos|Peters|Hendriks|Dekker"), nil,
	},
	{
		"SE", "sv", 6, 1, words("Stockholm|Göteborg|Malmö|Uppsala|Lund"),
		words("Alice|Maja|Elsa|Astrid|Saga|Freja|Ebba|Hugo|William|Nils|Axel|Olle|Sixten|Elias|Viggo"),
		words("Andersson|Johansson|Karlsson|Nilsson|Eriksson|Larsson|Olsson|Persson|Svensson|Lindberg|Lindqvist|Berg|Holm|Sandberg|Nyström"), nil,
	},
	{
		"ES", "es", 3, 1, words("Madrid|Barcelona|Valencia|Sevilla|Bilbao"),
		words("Lucía|Sofía|Martina|María|Paula|Carmen|Hugo|Martín|Mateo|Pablo|Diego|Álvaro"),
		words("García|Fernández|González|Rodríguez|López|Martínez|Sánchez|Pérez|Gómez|Ruiz|Navarro|Torres"), nil,
	},
	{
		"IT", "it", 3, 1, words("Milano|Roma|Torino|Bologna|Napoli"),
		words("Sofia|Giulia|Aurora|Alice|Ginevra|Chiara|Leonardo|Lorenzo|Matteo|Tommaso|Marco|Luca"),
		words("Rossi|Russo|Ferrari|Esposito|Bianchi|Romano|Colombo|Ricci|Marino|Greco|Conti|Bruno"), nil,
	},
}

// mailDomains are reserved by RFC 2606: nothing sent there can reach anybody.
var mailDomains = words("post.example|inbox.example|letterbox.example|mail.example")

func words(s string) []string { return strings.Split(s, "|") }

func drawCountry(d dice) *country {
	weights := make([]float64, len(countries))
	for i := range countries {
		weights[i] = countries[i].weight
	}
	return &countries[d.pick(weights)]
}

func choose(d dice, from []string) string { return from[d.IntN(len(from))] }

// blocks is a run of number blocks of equal size: the n-th number of all of them together.
func blocks(n, size int, format string, prefixes ...string) (string, bool) {
	if n/size >= len(prefixes) {
		return "", false
	}
	return fmt.Sprintf(format, prefixes[n/size], n%size), true
}

// dramaGermany: Bundesnetzagentur, numbers for media use.
func dramaGermany(n int) (string, bool) {
	return blocks(n, 1000, "+49%s%03d", "3023125", "6990009", "4066969", "2214710", "8999998")
}

// dramaBritain: Ofcom, telephone numbers for drama.
func dramaBritain(n int) (string, bool) {
	return blocks(n, 1000, "+44%s%03d", "7700900", "2079460", "1134960", "1144960", "1154960", "1164960", "1174960", "1184960",
		"1214960", "1314960", "1414960", "1514960", "1614960", "1914980", "2920180")
}

// dramaFrance: Arcep, numbers for audiovisual works.
func dramaFrance(n int) (string, bool) {
	return blocks(n, 10000, "+33%s%04d", "63998", "19900", "26191", "35301", "46571", "53649")
}

// dramaAmerica: NANPA, 555-0100 to 555-0199 in every area code.
func dramaAmerica(n int) (string, bool) {
	return blocks(n, 100, "+1%s55501%02d", "202", "206", "212", "213", "214", "215", "303", "305", "312", "313", "314", "404", "408", "410", "412",
		"415", "503", "504", "505", "512", "513", "515", "602", "603", "612", "614", "615", "616", "617", "619", "702", "703", "704", "713", "716",
		"718", "720", "727", "801", "802", "803", "804", "805", "808", "812", "813", "816", "817", "818", "901", "907", "916", "917", "919", "970")
}

// asciiFold writes a name as it stands in an e-mail address.
var asciiFold = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "å", "aa", "é", "e", "è", "e", "ë", "e", "ê", "e",
	"á", "a", "à", "a", "í", "i", "ï", "i", "ó", "o", "ú", "u", "ñ", "n", "ç", "c", " ", "")
