namespace Microsoft.ML.Numeric;

/// <summary>The value of a function at a point, its gradient written into the second array.</summary>
internal delegate float DifferentiableFunction(float[] point, float[] gradient);

/// <summary>Successive points are within numeric precision of each other, but the criterion is not met.</summary>
internal sealed class PrematureConvergenceException(string message) : Exception(message);

/// <summary>
/// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4, 3.5 and 3.6); with an L1 weight
/// its orthant-wise form (Andrew and Gao, Scalable Training of L1-Regularized Log-Linear Models, ICML 2007).
/// Biases stand first in the point and are free of the L1 term.
/// </summary>
internal sealed class LbfgsOptimizer(DifferentiableFunction function, int historySize, int biasCount, float l1Weight, bool nonNegative)
{
    private readonly List<(float[] Step, float[] Change, float Product)> _history = [];
    private float[] _x;
    private float[] _gradient;
    private float[] _newX;
    private float[] _newGradient;
    private float[] _direction;
    private float[] _steepest;

    public float Value { get; private set; }
    public float LastValue { get; private set; }
    public int Iteration { get; private set; }

    /// <summary>The point that was reached, also after premature convergence.</summary>
    public float[] Point => _newX;

    private bool OrthantWise => l1Weight > 0 && biasCount < _x.Length;

    public void Minimize(float[] initial, Func<LbfgsOptimizer, bool> terminate)
    {
        _x = (float[])initial.Clone();
        if (nonNegative && l1Weight > 0)
        {
            ClipNegative(_x, biasCount);
        }

        (_gradient, _newX, _newGradient) = (new float[_x.Length], new float[_x.Length], new float[_x.Length]);
        (_direction, _steepest) = (new float[_x.Length], new float[_x.Length]);
        Iteration = 1;
        Value = LastValue = Evaluate(_x, _gradient);
        CheckFinite(LastValue);
        ChooseDirection();
        while (true)
        {
            if (!LineSearch(force: false))
            {
                // Perhaps numerical errors in previous gradients: start over with gradient descent.
                _history.Clear();
                ChooseDirection();
                LineSearch(force: true);
            }

            if (terminate(this))
            {
                return;
            }

            Shift();
            ChooseDirection();
        }
    }

    private static void CheckFinite(float value)
    {
        if (!float.IsFinite(value))
        {
            throw new InvalidOperationException($"Optimizer unable to proceed with loss function yielding {value}");
        }
    }

    private static void ClipNegative(float[] values, int from)
    {
        for (var i = from; i < values.Length; i++)
        {
            values[i] = Math.Max(values[i], 0);
        }
    }

    private float Evaluate(float[] point, float[] gradient)
    {
        if (!OrthantWise)
        {
            return function(point, gradient);
        }

        var norm = 0f;
        for (var i = biasCount; i < point.Length; i++)
        {
            norm += Math.Abs(point[i]);
        }

        return (l1Weight * norm) + function(point, gradient);
    }

    private void ChooseDirection()
    {
        for (var i = 0; i < _x.Length; i++)
        {
            _steepest[i] = Descent(i, _x[i], _gradient[i]);
        }

        _steepest.CopyTo(_direction, 0);
        MapByInverseHessian();
        if (OrthantWise || nonNegative)
        {
            for (var i = 0; i < _direction.Length; i++)
            {
                if (_steepest[i] == 0)
                {
                    _direction[i] = 0;
                }
            }
        }
    }

    private float Descent(int index, float x, float gradient)
    {
        if (!OrthantWise)
        {
            return !nonNegative || x > 0 ? -gradient : -Math.Min(gradient, 0);
        }

        if (index < biasCount)
        {
            return -gradient;
        }

        if (nonNegative)
        {
            return x > 0 ? -gradient - l1Weight : -Math.Min(gradient + l1Weight, 0);
        }

        if (x < 0)
        {
            return -gradient + l1Weight;
        }

        if (x > 0 || gradient < -l1Weight)
        {
            return -gradient - l1Weight;
        }

        return gradient > l1Weight ? -gradient + l1Weight : 0;
    }

    private void MapByInverseHessian()
    {
        var alphas = new float[_history.Count];
        var newest = -1;
        for (var i = _history.Count - 1; i >= 0; i--)
        {
            var (step, change, product) = _history[i];
            if (product > 0)
            {
                alphas[i] = -FloatMath.Dot(step, _direction) / product;
                FloatMath.AddScaled(_direction, change, alphas[i]);
                newest = Math.Max(newest, i);
            }
        }

        if (newest < 0)
        {
            return;
        }

        FloatMath.Scale(_direction, _history[newest].Product / FloatMath.Dot(_history[newest].Change, _history[newest].Change));
        for (var i = 0; i <= newest; i++)
        {
            var (step, change, product) = _history[i];
            if (product > 0)
            {
                FloatMath.AddScaled(_direction, step, -alphas[i] - (FloatMath.Dot(change, _direction) / product));
            }
        }
    }

    private void Shift()
    {
        float[] step, change;
        if (_history.Count == historySize)
        {
            (step, change, _) = _history[0];
            _history.RemoveAt(0);
        }
        else
        {
            (step, change) = (new float[_x.Length], new float[_x.Length]);
        }

        FloatMath.AddScaledInto(_newX, _x, -1, step);
        FloatMath.AddScaledInto(_newGradient, _gradient, -1, change);
        var product = FloatMath.Dot(step, change);
        if (product == 0)
        {
            throw new PrematureConvergenceException("ro equals zero. Is your function linear?");
        }

        _history.Add((step, change, product));
        (LastValue, Value) = (Value, LastValue);
        (_x, _newX) = (_newX, _x);
        (_gradient, _newGradient) = (_newGradient, _gradient);
        Iteration++;
    }

    private bool LineSearch(bool force)
    {
        var slope = OrthantWise ? -FloatMath.Dot(_direction, _steepest) : FloatMath.Dot(_direction, _gradient);
        if (slope == 0)
        {
            throw new PrematureConvergenceException("Directional derivative is zero. You may be sitting on the optimum.");
        }

        if (!(slope < 0))
        {
            throw new InvalidOperationException("L-BFGS chose a non-descent direction.");
        }

        var alpha = Iteration == 1 ? 1 / FloatMath.Norm(_direction) : 1;
        return OrthantWise ? Backtrack(alpha, force) : Bracket(alpha, slope, force);
    }

    private bool Backtrack(float alpha, bool force)
    {
        const float sufficient = 1e-4f;
        const int maximumSteps = 8;
        Move(alpha);
        var decrease = ProjectedDecrease();
        if (decrease < 0)
        {
            for (var i = biasCount; i < _direction.Length; i++)
            {
                if (_steepest[i] * _direction[i] < 0)
                {
                    _direction[i] = 0;
                }
            }

            Move(alpha);
            decrease = ProjectedDecrease();
        }

        for (var step = 1; ; step++)
        {
            Value = Evaluate(_newX, _newGradient);
            if (Value <= LastValue - (sufficient * decrease))
            {
                return true;
            }

            if (!force && step == maximumSteps)
            {
                return false;
            }

            alpha *= 0.25f;
            Move(alpha);
            decrease = ProjectedDecrease();
        }
    }

    private float ProjectedDecrease() => FloatMath.Dot(_steepest, _newX) - FloatMath.Dot(_steepest, _x);

    private void Move(float alpha)
    {
        FloatMath.AddScaledInto(_x, _direction, alpha, _newX);
        if (nonNegative)
        {
            ClipNegative(_newX, OrthantWise ? biasCount : 0);
        }
        else if (OrthantWise)
        {
            // Nothing may cross from one orthant into another.
            for (var i = biasCount; i < _newX.Length; i++)
            {
                if (_x[i] * _newX[i] < 0)
                {
                    _newX[i] = 0;
                }
            }
        }
    }

    private Sample Try(float alpha)
    {
        Move(alpha);
        Value = Evaluate(_newX, _newGradient);
        return new Sample(alpha, Value, float.IsPositiveInfinity(Value) ? 0 : FloatMath.Dot(_direction, _newGradient));
    }

    // Steps are doubled until an interval holds a point that fulfils the Wolfe conditions.
    private bool Bracket(float alpha, float slope, bool force)
    {
        var last = new Sample(0, LastValue, slope);
        var armijo = 1e-4f * slope;
        var curvature = 0.9f * slope;
        while (true)
        {
            var current = Try(alpha);
            if (float.IsPositiveInfinity(current.Value))
            {
                alpha /= 2;
                continue;
            }

            CheckFinite(current.Value);
            if (current.Value > LastValue + (armijo * alpha) || (last.Alpha > 0 && current.Value >= last.Value))
            {
                return Zoom(last, current, armijo, curvature, force);
            }

            if (Math.Abs(current.Slope) <= -curvature)
            {
                return true;
            }

            if (current.Slope >= 0)
            {
                return Zoom(current, last, armijo, curvature, force);
            }

            last = current;
            alpha = alpha == 0 ? float.Epsilon : alpha * 2;
        }
    }

    private bool Zoom(Sample low, Sample high, float armijo, float curvature, bool force)
    {
        const float minimumChange = 0.01f;
        const int maximumSteps = 10;
        for (var step = 0; force || step < maximumSteps; step++)
        {
            var (left, right) = low.Alpha < high.Alpha ? (low, high) : (high, low);
            float alpha;
            if (left.Slope > 0 && right.Slope < 0)
            {
                alpha = low.Value < high.Value ? low.Alpha : high.Alpha;
            }
            else
            {
                alpha = CubicMinimum(low, high);
                if (!float.IsFinite(alpha))
                {
                    alpha = (low.Alpha + high.Alpha) / 2;
                }
            }

            alpha = Math.Min(alpha, (minimumChange * left.Alpha) + ((1 - minimumChange) * right.Alpha));
            alpha = Math.Max(alpha, (minimumChange * right.Alpha) + ((1 - minimumChange) * left.Alpha));
            var current = Try(alpha);
            CheckFinite(current.Value);
            var tooHigh = current.Value > LastValue + (armijo * alpha) || current.Value >= low.Value;
            if (!tooHigh && Math.Abs(current.Slope) <= -curvature)
            {
                return true;
            }

            if (!tooHigh && current.Slope * (high.Alpha - low.Alpha) >= 0)
            {
                high = low;
            }

            if ((tooHigh ? high : low).Alpha == current.Alpha)
            {
                return force ? throw new PrematureConvergenceException("Step size interval numerically zero.") : false;
            }

            (low, high) = tooHigh ? (low, current) : (current, high);
        }

        return false;
    }

    private static float CubicMinimum(Sample first, Sample second)
    {
        double t1 = first.Slope + second.Slope - (3 * (first.Value - second.Value) / (first.Alpha - second.Alpha));
        var t2 = Math.Sign(second.Alpha - first.Alpha) * Math.Sqrt((t1 * t1) - (first.Slope * second.Slope));
        return (float)(second.Alpha - ((second.Alpha - first.Alpha) * (second.Slope + t2 - t1) / (second.Slope - first.Slope + (2 * t2))));
    }

    private readonly record struct Sample(float Alpha, float Value, float Slope);
}
