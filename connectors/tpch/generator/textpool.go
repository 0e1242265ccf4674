package generator

import (
	"encoding/binary"
	"sync"
)

// poolSize is the length of dbgen's text, 300 MiB. A comment is a piece of it.
const poolSize = 300 << 20

// textPool is the text that comments are cut from. It is written on first use, which takes about a second and 300 MiB
// that stay until the pool itself goes. It may be used by several goroutines at once.
type textPool struct {
	once sync.Once
	text []byte
}

// bytes gives the whole pool, which must not be changed.
func (p *textPool) bytes() []byte {
	p.once.Do(func() { p.text = writeText(poolSize) })
	return p.text
}

// word is a word followed by a space, padded so that it can be copied as two machine words.
type word struct {
	low, high uint64
	length    int
}

// vocabulary draws words of one kind: a ticket is drawn, and gives the word.
type vocabulary []word

func newVocabulary(list string) vocabulary {
	words, weights := weighted(list)
	var drawn vocabulary
	for _, ticket := range lottery(weights) {
		drawn = append(drawn, newWord(words[ticket]+" "))
	}
	return drawn
}

// newWord packs a text of at most 16 bytes.
func newWord(text string) word {
	var bytes [16]byte
	if copy(bytes[:], text) < len(text) {
		panic("generator: the word " + text + " is too long")
	}
	return word{binary.LittleEndian.Uint64(bytes[:8]), binary.LittleEndian.Uint64(bytes[8:]), len(text)}
}

// writer writes sentences: state is the stream they are drawn from, end the length of what has been written.
type writer struct {
	text  []byte
	end   int
	state lehmer

	nouns, verbs, adverbs, adjectives, prepositions, auxiliaries, terminators vocabulary
	sentences, nounPhrases, verbPhrases                                       []string
	the                                                                       word
}

// writeText gives the first size bytes of dbgen's text.
func writeText(size int) []byte {
	const longestSentence = 1024
	w := writer{
		text:         make([]byte, size+longestSentence),
		state:        933588178,
		nouns:        newVocabulary(nouns),
		verbs:        newVocabulary(verbs),
		adverbs:      newVocabulary(adverbs),
		adjectives:   newVocabulary(adjectives),
		prepositions: newVocabulary(prepositions),
		auxiliaries:  newVocabulary(auxiliaries),
		sentences:    newForms(sentenceForms),
		nounPhrases:  newForms(nounPhraseForms),
		verbPhrases:  newForms(verbPhraseForms),
		the:          newWord("the "),
	}
	w.terminators = newVocabulary(terminators)
	for i, t := range w.terminators {
		if t == newWord("semicolon ") {
			w.terminators[i] = newWord("; ")
		}
	}
	for w.end < size {
		w.sentence()
	}
	return w.text[:size:size]
}

// newForms gives the forms of a phrase, each as often as it weighs.
func newForms(list string) []string {
	forms, weights := weighted(list)
	var drawn []string
	for _, ticket := range lottery(weights) {
		drawn = append(drawn, forms[ticket])
	}
	return drawn
}

// draw gives a number below n.
func (w *writer) draw(n int) int {
	w.state = w.state.next()
	return int(w.state.pick(int64(n)))
}

// put writes a word and the space behind it.
func (w *writer) put(next word) {
	at := w.text[w.end : w.end+16]
	binary.LittleEndian.PutUint64(at[:8], next.low)
	binary.LittleEndian.PutUint64(at[8:], next.high)
	w.end += next.length
}

func (w *writer) drawWord(from vocabulary) { w.put(from[w.draw(len(from))]) }

func (w *writer) sentence() {
	form := w.sentences[w.draw(len(w.sentences))]
	for i := range len(form) {
		switch form[i] {
		case 'N':
			w.phrase(w.nounPhrases)
		case 'V':
			w.phrase(w.verbPhrases)
		case 'P':
			w.drawWord(w.prepositions)
			w.put(w.the)
			w.phrase(w.nounPhrases)
		case 'T':
			w.end-- // the terminator stands where the last word's space was
			w.drawWord(w.terminators)
		}
	}
}

// phrase writes a noun or verb phrase. V is a verb and N a noun in either.
func (w *writer) phrase(forms []string) {
	form := forms[w.draw(len(forms))]
	for i := range len(form) {
		switch form[i] {
		case 'N':
			w.drawWord(w.nouns)
		case 'V':
			w.drawWord(w.verbs)
		case 'J':
			w.drawWord(w.adjectives)
		case 'D':
			w.drawWord(w.adverbs)
		case 'X':
			w.drawWord(w.auxiliaries)
		case ',':
			w.text[w.end-1] = ','
			w.text[w.end] = ' '
			w.end++
		}
	}
}
