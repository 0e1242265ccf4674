package parquet

import (
	"context"
	"errors"
	"fmt"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	errNoDictionary = errors.New("page refers to a dictionary that is missing")
	errCodes        = errors.New("page refers to entries beyond the dictionary")
)

// load reads and decodes the data page whose header is h.
func (c *flatColumn) load(ctx context.Context, h pageHeader) error {
	p, err := c.chunk.body(ctx, h, c.codec, c.pageBuffer, &c.chunk.pageHeld, c.loader.leaf.maxDefinition, 0)
	if err != nil {
		return err
	}
	if p.buffer != nil {
		c.pageBuffer = p.buffer
	}
	rows := int(h.values)
	if rows > maxPageRows || int64(rows) > c.reader.file.meta.groups[c.group].rows {
		return fmt.Errorf("page of %d rows", rows)
	}
	c.rows, c.at, c.taken, c.valid, c.values = rows, 0, 0, nil, rows
	if c.loader.leaf.maxDefinition > 0 {
		if err := c.loadValid(p.definitions, rows); err != nil {
			return err
		}
	}
	return c.loadValues(h.encoding, p)
}

// loadValues prepares the page's c.values values for reading.
func (c *flatColumn) loadValues(encoding encodingID, p pageBytes) (err error) {
	switch encoding {
	case encPlain:
		return c.loadPlain(p)
	case encPlainDictionary, encRLEDictionary:
		if len(p.values) == 0 {
			if c.values > 0 {
				return errValues
			}
			p.values = zeroWidth[:1]
		}
		if p.values[0] > 32 {
			return fmt.Errorf("dictionary codes of %d bits", p.values[0])
		}
		if c.values == 0 && c.dict == nil {
			if c.dict, err = c.loader.dictionary(pageBytes{values: zeroWidth[:0]}, 0); err != nil {
				return err
			}
		}
		c.form = formCodes
		c.codes.reset(p.values[1:], uint(p.values[0]))
		return nil
	}
	return c.loadEncoded(encoding, p)
}

// maxPageRows bounds the rows of a page, and so the bitmap made for it.
const maxPageRows = 1 << 26

// zeroWidth is the head of an empty page of codes.
var zeroWidth [1 + slack]byte

func (c *flatColumn) loadValid(levels []byte, rows int) error {
	words := vec.BitmapWords(rows)
	if cap(c.validBuffer) < words+1 {
		c.validBuffer = make(vec.Bitmap, words+1)
	}
	var h hybrid
	h.reset(levels, 1)
	valid := c.validBuffer[:words]
	ones, err := h.bitmap(valid, rows)
	if err != nil {
		return err
	}
	if c.values = ones; ones < rows {
		c.valid = valid
	}
	return nil
}

// loadPlain makes the page's plain values readable; strings stay where they are.
func (c *flatColumn) loadPlain(p pageBytes) (err error) {
	l := &c.loader
	if l.leaf.element.physical == physByteArray {
		c.lend(p)
		c.text, c.cursor, c.form = p.values, 0, formPlain
		if l.storage != storeViews {
			return c.loadTextDecimals()
		}
		c.checkText()
		return nil
	}
	if l.storage == storeViews { // fixed length
		if c.values > len(p.values)/l.source {
			return errValues
		}
		c.lend(p)
		c.text, c.form = p.values, formViews
		c.views = resize(&c.viewBuffer, c.values)
		viewsOfFixed(c.views, c.text, l.source, 0)
		c.padViews()
		c.checkText()
		return nil
	}
	c.form = formArray
	c.array, c.arrayBuffer, err = l.array(p.values, c.arrayBuffer, c.values)
	return err
}

// padViews puts the value of nulls behind the last view.
func (c *flatColumn) padViews() {
	c.viewBuffer[c.values] = vec.View{}
	c.views = c.viewBuffer[:c.values+1]
}

func (c *flatColumn) checkText() {
	if len(c.text) == 0 {
		c.text = zeroWidth[:1]
		c.ascii = true
		if c.form == formPlain {
			c.text = zeroWidth[:0]
		}
		return
	}
	if c.loader.leaf.typ.IsString() || c.loader.leaf.typ.Kind == types.JSON {
		c.ascii = vec.IsASCII(c.text)
	}
}

// lend gives the page's memory away: vectors will refer to it.
func (c *flatColumn) lend(p pageBytes) {
	if p.buffer != nil {
		c.pageBuffer = nil
	} else {
		c.chunk.lent = true
	}
}

func (c *flatColumn) loadTextDecimals() error {
	views := resize(&c.viewBuffer, c.values)
	if _, err := plainViews(views, c.text, 0, 0); err != nil {
		return err
	}
	c.arrayBuffer = paddedBuffer(c.arrayBuffer, c.values*c.loader.width)
	c.array, c.form = c.arrayBuffer, formArray
	return c.loader.decimalsOfViews(c.array, views, [][]byte{c.text})
}

// loadEncoded reads the rarer encodings.
func (c *flatColumn) loadEncoded(encoding encodingID, p pageBytes) error {
	d := decodedPage{buffer: c.arrayBuffer}
	if err := d.decode(&c.loader, encoding, p.values, c.values); err != nil {
		return err
	}
	c.arrayBuffer = d.buffer
	if d.text == nil {
		c.array, c.form = d.array, formArray
		return nil
	}
	if d.sharesPage {
		c.lend(p)
	}
	if c.loader.storage != storeViews {
		c.arrayBuffer = paddedBuffer(c.arrayBuffer, c.values*c.loader.width)
		c.array, c.form = c.arrayBuffer, formArray
		return c.loader.decimalsOfViews(c.array, d.views, [][]byte{d.text})
	}
	c.text, c.form = d.text, formViews
	resize(&c.viewBuffer, c.values)
	copy(c.viewBuffer, d.views)
	c.padViews()
	c.checkText()
	return nil
}

// loadDictionary reads the chunk's dictionary page.
func (c *flatColumn) loadDictionary(ctx context.Context, h pageHeader) error {
	if c.dict != nil {
		return errors.New("column chunk has two dictionaries")
	}
	if h.encoding != encPlain && h.encoding != encPlainDictionary {
		return fmt.Errorf("dictionary in encoding %d", h.encoding)
	}
	p, err := c.chunk.body(ctx, h, c.codec, nil, &c.chunk.dictHeld, 0, 0)
	if err != nil {
		return err
	}
	dict, err := c.loader.dictionary(p, int(h.values))
	if err != nil {
		return err
	}
	if len(dict.Buffers) > 0 && p.buffer == nil {
		c.chunk.lent = true
	}
	c.dict = dict
	c.dictID = scan.DictionaryID(c.reader.file.object, c.group, c.loader.leaf.column)
	c.keepDict = !c.nested && c.loader.storage == storeViews && int64(dict.Len) <= c.reader.file.meta.groups[c.group].rows/4+64
	return nil
}

// dictionary makes the vector of n dictionary entries; strings are views into p.
func (l *loader) dictionary(p pageBytes, n int) (*vec.Vector, error) {
	if l.leaf.element.physical == physBoolean {
		return nil, errors.New("dictionary of booleans")
	}
	least := 4 // bytes an entry takes at least
	if l.source > 0 {
		least = l.source
	}
	if n > len(p.values)/least {
		return nil, errValues
	}
	dict := &vec.Vector{}
	dict.Resize(l.leaf.typ, max(n, 1))
	clear(dict.Data)
	if l.leaf.element.physical != physByteArray && l.storage != storeViews {
		array, _, err := l.array(p.values, nil, n)
		if err != nil {
			return nil, err
		}
		if l.storage == storeInt32 {
			switch l.physical {
			case types.PhysInt16:
				spread(vec.Values[int16](dict)[:n], as[int32](array), nil)
			case types.PhysInt64:
				spread(vec.Values[int64](dict)[:n], as[int32](array), nil)
			}
		} else {
			copy(dict.Data, array)
		}
		return dict, nil
	}
	views := make([]vec.View, n)
	if l.storage == storeViews {
		views = vec.Values[vec.View](dict)[:n]
	}
	if l.leaf.element.physical == physFixed {
		viewsOfFixed(views, p.values, l.source, 0)
	} else if _, err := plainViews(views, p.values, 0, 0); err != nil {
		return nil, err
	}
	if l.storage != storeViews {
		return dict, l.decimalsOfViews(dict.Data, views, [][]byte{p.values})
	}
	dict.Buffers = [][]byte{p.values}
	if l.leaf.typ.IsString() && !vec.IsASCII(p.values) {
		if _, err := checkUTF8(views, dict.Buffers); err != nil {
			return nil, err
		}
	}
	return dict, nil
}
