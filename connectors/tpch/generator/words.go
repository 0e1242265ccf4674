package generator

// The word lists and weights of this file are those of the TPC Benchmark H standard specification (clauses 4.2.2.13,
// 4.2.2.14 and 4.2.3, and the distribution file that belongs to it), published by the Transaction Processing
// Performance Council. An entry is word|weight, words part at semicolons; without a weight it is 1.

const (
	containerSizes = "SM;LG;MED;JUMBO;WRAP"
	containerForms = "CASE;BOX;BAG;JAR;PACK;PKG;CAN;DRUM"

	typeClasses   = "STANDARD;SMALL;MEDIUM;LARGE;ECONOMY;PROMO"
	typeFinishes  = "ANODIZED;BURNISHED;PLATED;POLISHED;BRUSHED"
	typeMaterials = "TIN;NICKEL;BRASS;STEEL;COPPER"

	shipInstructions = "DELIVER IN PERSON;COLLECT COD;TAKE BACK RETURN;NONE"
	shipModes        = "REG AIR;AIR;RAIL;TRUCK;MAIL;FOB;SHIP"
	returnFlags      = "R;A;N" // N is not drawn: it stands for what has not been received
	lineStatuses     = "F;O"
	orderStatuses    = "F;O;P"
	orderPriorities  = "1-URGENT;2-HIGH;3-MEDIUM;4-NOT SPECIFIED;5-LOW"
	marketSegments   = "AUTOMOBILE;BUILDING;FURNITURE;HOUSEHOLD;MACHINERY"
	manufacturers    = "Manufacturer#1;Manufacturer#2;Manufacturer#3;Manufacturer#4;Manufacturer#5"

	regionNames = "AFRICA;AMERICA;ASIA;EUROPE;MIDDLE EAST"

	// nationNames gives the number of each nation's region in the place of a weight.
	nationNames = "ALGERIA|0;ARGENTINA|1;BRAZIL|1;CANADA|1;EGYPT|4;ETHIOPIA|0;FRANCE|3;GERMANY|3;INDIA|2;" +
		"INDONESIA|2;IRAN|4;IRAQ|4;JAPAN|2;JORDAN|4;KENYA|0;MOROCCO|0;MOZAMBIQUE|0;PERU|1;CHINA|2;ROMANIA|3;" +
		"SAUDI ARABIA|4;VIETNAM|2;RUSSIA|3;UNITED KINGDOM|3;UNITED STATES|1"

	colours = "almond;antique;aquamarine;azure;beige;bisque;black;blanched;blue;blush;brown;burlywood;burnished;" +
		"chartreuse;chiffon;chocolate;coral;cornflower;cornsilk;cream;cyan;dark;deep;dim;dodger;drab;firebrick;" +
		"floral;forest;frosted;gainsboro;ghost;goldenrod;green;grey;honeydew;hot;indian;ivory;khaki;lace;lavender;" +
		"lawn;lemon;light;lime;linen;magenta;maroon;medium;metallic;midnight;mint;misty;moccasin;navajo;navy;" +
		"olive;orange;orchid;pale;papaya;peach;peru;pink;plum;powder;puff;purple;red;rose;rosy;royal;saddle;" +
		"salmon;sandy;seashell;sienna;sky;slate;smoke;snow;spring;steel;tan;thistle;tomato;turquoise;violet;" +
		"wheat;white;yellow"

	nouns = "packages|40;requests|40;accounts|40;deposits|40;foxes|20;ideas|20;theodolites|20;pinto beans|20;" +
		"instructions|20;dependencies|10;excuses|10;platelets|10;asymptotes|10;courts|5;dolphins|5;multipliers;" +
		"sauternes;warthogs;frets;dinos;attainments;somas;Tiresias;patterns;forges;braids;frays;warhorses;dugouts;" +
		"notornis;epitaphs;pearls;tithes;waters;orbits;gifts;sheaves;depths;sentiments;decoys;realms;pains;" +
		"grouches;escapades;hockey players"
	verbs = "sleep|20;wake|20;are|20;cajole|20;haggle|20;nag|10;use|10;boost|10;affix|5;detect|5;integrate|5;" +
		"maintain;nod;was;lose;sublate;solve;thrash;promise;engage;hinder;print;x-ray;breach;eat;grow;impress;mold;" +
		"poach;serve;run;dazzle;snooze;doze;unwind;kindle;play;hang;believe;doubt"
	adverbs = "sometimes;always;never;furiously|50;slyly|50;carefully|50;blithely|40;quickly|30;fluffily|20;slowly;" +
		"quietly;ruthlessly;thinly;closely;doggedly;daringly;bravely;stealthily;permanently;enticingly;idly;busily;" +
		"regularly;finally;ironically;evenly;boldly;silently"
	adjectives = "special|20;pending|20;unusual|20;express|20;furious;sly;careful;blithe;quick;fluffy;slow;quiet;" +
		"ruthless;thin;close;dogged;daring;brave;stealthy;permanent;enticing;idle;busy;regular|50;final|40;" +
		"ironic|40;even|30;bold|20;silent|10"
	prepositions = "about|50;above|50;according to|50;across|50;after|50;against|40;along|40;alongside of|30;" +
		"among|30;around|20;at|10;atop;before;behind;beneath;beside;besides;between;beyond;by;despite;during;" +
		"except;for;from;in place of;inside;instead of;into;near;of;on;outside;over;past;since;through;throughout;" +
		"to;toward;under;until;up;upon;whithout;with;within"
	auxiliaries = "do;may;might;shall;will;would;can;could;should;ought to;must;will have to;shall have to;" +
		"could have to;should have to;must have to;need to;try to"

	// A semicolon ends a sentence too; the list writes it as "semicolon".
	terminators = ".|50;semicolon;:;?;!;--"

	// The grammar: N and V are noun and verb phrases, P a preposition with "the" and a noun phrase, T a terminator;
	// within phrases J is an adjective, D an adverb, X an auxiliary.
	sentenceForms   = "NVT|3;NVPT|3;NVNT|3;NPVNT;NPVPT"
	nounPhraseForms = "N|10;JN|20;J,JN|10;DJN|50"
	verbPhraseForms = "V|30;XV;VD|40;XVD"
)
