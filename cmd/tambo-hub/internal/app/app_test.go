package app

import (
	"context"
	"image/png"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tambo-hub": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			for name, side := range map[string]kiosk.Eye{"left.png": kiosk.EyeLeft, "right.png": kiosk.EyeRight} {
				f, err := os.Create(filepath.Join(e.WorkDir, name))
				if err != nil {
					return err
				}
				if err := png.Encode(f, eye.Draw(eye.NewPerson(1), side, eye.Ordinary(), eye.DefaultWidth, eye.DefaultHeight)); err != nil {
					return err
				}
				if err := f.Close(); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// waitfile waits until a file is there.
			"waitfile": func(ts *testscript.TestScript, neg bool, args []string) {
				for range 1000 {
					if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
				ts.Fatalf("%s did not come", args[0])
			},
		},
	})
}
