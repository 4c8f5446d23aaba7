// Redpanda Connect with the components that the configurations beside this file use, and no others: linking all of them
// takes minutes and gigabytes. The command line is its own: connect run <file>.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	_ "github.com/redpanda-data/connect/v4/public/components/avro"
	_ "github.com/redpanda-data/connect/v4/public/components/nats"
	_ "github.com/redpanda-data/connect/v4/public/components/redis"
)

func main() {
	service.RunCLI(context.Background())
}
