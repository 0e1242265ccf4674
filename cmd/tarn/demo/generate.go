package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

// Size says how much the demo makes.
type Size struct {
	Days          int
	OrdersPerDay  int
	Customers     int
	Products      int
	EventsPerDay  int
	FirstDay      time.Time
	RandomnessFor uint64
}

// DefaultSize is a shop of a million orders in a week.
func DefaultSize() Size {
	return Size{Days: 7, OrdersPerDay: 150_000, Customers: 50_000, Products: 2_000, EventsPerDay: 250_000,
		FirstDay: time.Date(2018, 8, 1, 0, 0, 0, 0, time.UTC), RandomnessFor: 42}
}

// Times gives a shop that is so many times as busy.
func (s Size) Times(factor float64) Size {
	for _, n := range []*int{&s.OrdersPerDay, &s.Customers, &s.Products, &s.EventsPerDay} {
		*n = max(int(float64(*n)*factor), 1)
	}
	return s
}

// Day gives the ds of the i-th day.
func (s Size) Day(i int) string { return s.FirstDay.AddDate(0, 0, i).Format("2006-01-02") }

var (
	countries  = []string{"DE", "FR", "US", "GB", "IT", "ES", "NL", "PL", "SE", "JP", "BR", "IN"}
	segments   = []string{"consumer", "business", "education", "public"}
	categories = []string{"books", "music", "garden", "kitchen", "toys", "sports", "office", "travel"}
	statuses   = []string{"paid", "paid", "paid", "paid", "shipped", "shipped", "returned", "cancelled"}
	actions    = []string{"view", "view", "view", "view", "search", "cart", "checkout"}
	devices    = []string{"phone", "phone", "desktop", "tablet"}
)

// Generate writes the raw CSV files below a location, as an import would leave them:
// orders/ds=…/part-0.csv, events/ds=…/part-0.csv, customers.csv and products.csv. It returns the bytes written.
func Generate(ctx context.Context, stores objstore.Locator, location string, s Size) (int64, error) {
	var total int64
	write := func(name, header string, rows int, row func(w *bufio.Writer, i int)) error {
		n, err := writeFile(ctx, stores, location+"/"+name, header, rows, row)
		total += n
		return err
	}
	random := rand.New(rand.NewPCG(s.RandomnessFor, 1))
	if err := write("customers.csv", "customer_id,name,country,segment,since", s.Customers, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "%d,\"Customer, %06d\",%s,%s,%s\n", i+1, i+1, pick(random, countries), pick(random, segments),
			s.FirstDay.AddDate(0, 0, -random.IntN(2000)).Format("2006-01-02"))
	}); err != nil {
		return total, err
	}
	if err := write("products.csv", "product_id,title,category,list_price", s.Products, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "%d,Product %05d,%s,%d.%02d\n", i+1, i+1, categories[i%len(categories)], 2+random.IntN(200), random.IntN(100))
	}); err != nil {
		return total, err
	}
	for day := range s.Days {
		ds := s.Day(day)
		midnight := s.FirstDay.AddDate(0, 0, day)
		if err := write("orders/ds="+ds+"/part-0.csv", "order_id,customer_id,product_id,quantity,amount,status,ordered_at", s.OrdersPerDay, func(w *bufio.Writer, i int) {
			at := midnight.Add(time.Duration(random.Int64N(int64(24 * time.Hour)))).Truncate(time.Second)
			customer := 1 + int(float64(s.Customers)*random.Float64()*random.Float64())
			fmt.Fprintf(w, "%d,%d,%d,%d,%d.%02d,%s,%s\n", day*s.OrdersPerDay+i+1, customer, 1+random.IntN(s.Products), 1+random.IntN(5),
				3+random.IntN(400), random.IntN(100), pick(random, statuses), at.Format("2006-01-02 15:04:05"))
		}); err != nil {
			return total, err
		}
		if err := write("events/ds="+ds+"/part-0.csv", "customer_id,action,device,product_id,happened_at", s.EventsPerDay, func(w *bufio.Writer, i int) {
			product := ""
			if random.IntN(4) > 0 {
				product = fmt.Sprint(1 + random.IntN(s.Products))
			}
			at := midnight.Add(time.Duration(i) * 24 * time.Hour / time.Duration(s.EventsPerDay))
			fmt.Fprintf(w, "%d,%s,%s,%s,%s\n", 1+random.IntN(s.Customers), pick(random, actions), pick(random, devices), product, at.Format("2006-01-02 15:04:05"))
		}); err != nil {
			return total, err
		}
	}
	return total, nil
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func writeFile(ctx context.Context, stores objstore.Locator, path, header string, rows int, row func(w *bufio.Writer, i int)) (int64, error) {
	store, key, err := stores.Locate(path)
	if err != nil {
		return 0, err
	}
	out, err := store.Create(ctx, key)
	if err != nil {
		return 0, err
	}
	defer out.Abort()
	w := bufio.NewWriterSize(io.Writer(out), 1<<20)
	fmt.Fprintln(w, header)
	for i := range rows {
		row(w, i)
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	object, err := out.Commit(ctx)
	return object.Size, err
}
