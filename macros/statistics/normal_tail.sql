{#-
    Hart's rational approximation 5666 up to 10 / sqrt(2), a continued fraction beyond, as in Genz's
    MVNPHI and West (2005). What is below 6e-300 is 0: engines differ on an exp() that underflows.
-#}
{% macro normal_tail(x) -%}
    {%- set sqrt_two_pi = 2.506628274631001 -%}
    case
        when {{ x }} > 37 then 0
        when {{ x }} > 7.071067811865475
            then
                exp(-power({{ x }}, 2) / 2) / {{ sqrt_two_pi }}
                / ({{ x }} + 1
                    / ({{ x }} + 2
                    / ({{ x }} + 3
                    / ({{ x }} + 4
                    / ({{ x }} + 0.65)))))
        else
            exp(-power({{ x }}, 2) / 2)
            * ((((((3.526249659989109e-02
                * {{ x }} + 0.7003830644436881)
                * {{ x }} + 6.373962203531650)
                * {{ x }} + 33.91286607838300)
                * {{ x }} + 112.0792914978709)
                * {{ x }} + 221.2135961699311)
                * {{ x }} + 220.2068679123761)
            / (((((((8.838834764831844e-02
                * {{ x }} + 1.755667163182642)
                * {{ x }} + 16.06417757920695)
                * {{ x }} + 86.78073220294608)
                * {{ x }} + 296.5642487796737)
                * {{ x }} + 637.3336333788311)
                * {{ x }} + 793.8265125199484)
                * {{ x }} + 440.4137358247522)
    end
{%- endmacro %}
